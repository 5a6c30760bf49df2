//! Prices, estimates, budgets, reservations, usage; the journal. Does not know how any of them came about.
