//! One module per subcommand.

pub(crate) mod actions;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod headless;
pub(crate) mod index;
pub(crate) mod prices;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod scripted;
pub(crate) mod serve;
