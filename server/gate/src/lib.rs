//! Proposal in, verdict out: approved, needs approval or refused. Pure.
