//! Language knowledge as data: a folder per language.
