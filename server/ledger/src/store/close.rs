//! What becomes of a reservation: settled, booked as it stands, released, or recovered after a crash.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::Serialize;

use super::{
    Failure, Ledger, LedgerError, RunEnd, owner,
    row::{SettlementRow, stored_tokens},
    runs,
};
use crate::{AttemptId, Money, RunId, Tokenizer, Usage};

/// What a request did cost.
#[derive(Clone, Copy, Debug)]
pub struct Settlement<'a> {
    /// The tokens, all classes known.
    pub usage: Usage,
    /// The cost, by the price of the model that answered.
    pub cost: Money,
    /// The model that answered.
    pub model: Option<&'a str>,
    /// The id of the price row by which `cost` was computed, if it is not the reservation's.
    pub price: Option<&'a str>,
    /// The provider's id of the request.
    pub request_id: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
}

/// What came of settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What counts against the limits from now on.
    pub cost: Money,
    /// The cost was more than what was held: the price or a token bound is wrong, and spending is stopped until
    /// [`Ledger::acknowledge_overruns`].
    pub overrun: bool,
}

/// A request that cost more than what was held for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overrun {
    /// The attempt.
    pub attempt: String,
    /// The model.
    pub model: String,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// What was held.
    pub held: Money,
    /// What it cost.
    pub cost: Money,
}

/// A reservation of a process that is gone, now booked at its amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// The attempt.
    pub attempt: String,
    /// Its run, which has thereby failed.
    pub run: String,
    /// The model.
    pub model: String,
    /// What counts against the limits from now on: what was reserved.
    pub amount: Money,
}

impl Ledger {
    /// Replaces what is held for an attempt by what it did cost.
    ///
    /// Repeating the same figures changes nothing. Other figures for a settled attempt are refused, because one of the
    /// two is wrong: usage comes in cumulative pieces, and only the last may be settled. An attempt that was booked
    /// without usage, or recovered, is corrected when its usage turns up.
    pub fn settle(
        &self,
        attempt: AttemptId,
        settlement: &Settlement<'_>,
    ) -> Result<Settled, LedgerError> {
        if settlement.cost < Money::ZERO {
            return Err(LedgerError::Misuse(format!(
                "the cost of attempt {attempt} is negative"
            )));
        }
        let (settled, lesson) = self.write(|transaction| {
            let open = Open::find(transaction, attempt)?;
            if let Some(latest) = open.latest.as_ref()
                && State::of(latest)? == State::Settled
            {
                let same = latest.cost == settlement.cost.picodollars()
                    && latest.usage == Some(as_stored(settlement.usage));
                if !same {
                    let message =
                        format!("attempt {attempt} is settled already, with other figures");
                    return Err(Failure::Refused(LedgerError::Misuse(message)));
                }
                let settled = Settled {
                    cost: settlement.cost,
                    overrun: latest.overrun,
                };
                return Ok((settled, None));
            }
            let overrun = settlement.cost.picodollars() > open.held();
            let row = SettlementRow {
                usage: Some(settlement.usage),
                cost: settlement.cost.picodollars(),
                overrun,
                model: settlement.model.map(str::to_owned),
                price: settlement.price.map(str::to_owned),
                request: settlement.request_id.map(str::to_owned),
                ..open.row(State::Settled, settlement.at)
            };
            row.insert(transaction)?;
            let settled = Settled {
                cost: settlement.cost,
                overrun,
            };
            Ok((settled, open.predicted.zip(open.tokenizer)))
        })?;
        if settled.overrun {
            tracing::error!(%attempt, cost = %settled.cost, "a request cost more than was held for it; spending stops");
        }
        if let Some((predicted, tokenizer)) = lesson {
            self.learn(|history| history.observe_request(tokenizer, predicted, &settlement.usage));
        }
        Ok(settled)
    }

    /// Books an attempt at what is held for it, because nobody knows what it did cost: a cut stream, missing usage.
    ///
    /// `known` is what the provider had reported by then; it is kept for reports and lowers nothing. Does nothing to an
    /// attempt that is booked already.
    pub fn book_unknown(
        &self,
        attempt: AttemptId,
        reason: &str,
        known: Option<Usage>,
        at: Timestamp,
    ) -> Result<Money, LedgerError> {
        self.write(|transaction| {
            let open = Open::find(transaction, attempt)?;
            match open.latest.as_ref() {
                None => {
                    let row = SettlementRow {
                        usage: known,
                        reason: Some(reason.to_owned()),
                        ..open.row(State::Booked, at)
                    };
                    row.insert(transaction)?;
                    Ok(Money::from_picodollars(open.amount))
                }
                Some(latest) => match State::of(latest)? {
                    State::Booked | State::Recovered => Ok(Money::from_picodollars(latest.cost)),
                    state @ (State::Settled | State::Released) => Err(already(attempt, state)),
                },
            }
        })
    }

    /// Gives back what is held for an attempt that cannot have been billed: it was never sent, or the provider says that
    /// it does not bill it. Does nothing to an attempt that is released already; never takes back a recorded cost.
    pub fn release(
        &self,
        attempt: AttemptId,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let open = Open::find(transaction, attempt)?;
            match open.latest.as_ref() {
                None => {
                    let row = SettlementRow {
                        usage: Some(Usage::default()),
                        cost: 0,
                        reason: Some(reason.to_owned()),
                        ..open.row(State::Released, at)
                    };
                    row.insert(transaction)?;
                    Ok(())
                }
                Some(latest) => match State::of(latest)? {
                    State::Released => Ok(()),
                    state @ (State::Settled | State::Booked | State::Recovered) => {
                        Err(already(attempt, state))
                    }
                },
            }
        })
    }

    /// Books the reservations of processes that are gone, at their full amount, and ends their runs as failed. Call it
    /// at the start of a server. What a living process holds, in this window or another, stays held.
    pub fn recover(&self, now: Timestamp) -> Result<Vec<Recovered>, LedgerError> {
        let Some(locks) = self.locks() else {
            return Ok(Vec::new());
        };
        let own = self
            .store_guard()
            .owner
            .as_ref()
            .map(|owner| owner.id().to_owned());
        let recovered = self.write(|transaction| {
            let mut recovered = Vec::new();
            for id in unended_owners(transaction)? {
                if own.as_ref() != Some(&id) && !owner::is_alive(&locks, &id) {
                    recovered.extend(recover_owner(transaction, &id, now)?);
                }
            }
            owner::sweep(&locks);
            Ok::<_, Failure<LedgerError>>(recovered)
        })?;
        for attempt in &recovered {
            tracing::warn!(attempt = attempt.attempt, amount = %attempt.amount, "booked what a dead process had reserved");
        }
        if !recovered.is_empty() {
            self.reload_history()?;
        }
        Ok(recovered)
    }

    /// The requests that cost more than what was held for them, and that nobody has acknowledged.
    pub fn overruns(&self) -> Result<Vec<Overrun>, LedgerError> {
        self.read(unacknowledged)
    }

    /// Allows spending again after overruns. The user's decision: with a wrong price the limits do not hold.
    pub fn acknowledge_overruns(&self, at: Timestamp) -> Result<usize, LedgerError> {
        self.write(|transaction| {
            let acknowledged = transaction.execute(
                "INSERT INTO acknowledgements (reservation, revision, at)
                 SELECT reservation, revision, ?1 FROM settlements WHERE overrun = 1
                 EXCEPT SELECT reservation, revision, ?1 FROM acknowledgements",
                [at.as_microsecond()],
            )?;
            Ok(acknowledged)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Settled,
    Booked,
    Recovered,
    Released,
}

impl State {
    const ALL: [Self; 4] = [Self::Settled, Self::Booked, Self::Recovered, Self::Released];

    fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Booked => "booked",
            Self::Recovered => "recovered",
            Self::Released => "released",
        }
    }

    fn of(row: &SettlementRow) -> rusqlite::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == row.state)
            .ok_or_else(|| super::open::misread("state", &row.state))
    }
}

/// An attempt, and the settlement that holds for it.
struct Open {
    seq: i64,
    amount: i64,
    predicted: Option<u64>,
    tokenizer: Option<Tokenizer>,
    latest: Option<SettlementRow>,
}

impl Open {
    fn find(
        transaction: &Transaction<'_>,
        attempt: AttemptId,
    ) -> Result<Self, Failure<LedgerError>> {
        let found = transaction
            .prepare_cached(
                "SELECT seq, amount, predicted, tokenizer FROM reservations WHERE attempt = ?1",
            )?
            .query_row([attempt.to_string()], |row| {
                let tokenizer: String = row.get(3)?;
                Ok(Self {
                    seq: row.get(0)?,
                    amount: row.get(1)?,
                    predicted: row
                        .get::<_, Option<i64>>(2)?
                        .and_then(|tokens| u64::try_from(tokens).ok()),
                    tokenizer: Tokenizer::from_name(&tokenizer),
                    latest: None,
                })
            })
            .optional()?;
        let Some(mut open) = found else {
            return Err(Failure::Refused(LedgerError::Misuse(format!(
                "attempt {attempt} was never reserved"
            ))));
        };
        open.latest = SettlementRow::latest(transaction, open.seq)?;
        Ok(open)
    }

    /// What counts for the attempt now: its reservation, or what its settlement says.
    fn held(&self) -> i64 {
        self.latest
            .as_ref()
            .map_or(self.amount, |latest| latest.cost)
    }

    /// The next settlement: at the amount held, with nothing known.
    fn row(&self, state: State, at: Timestamp) -> SettlementRow {
        SettlementRow {
            reservation: self.seq,
            revision: self.latest.as_ref().map_or(1, |latest| latest.revision + 1),
            state: state.name().to_owned(),
            usage: None,
            held: self.held(),
            cost: self.held(),
            overrun: false,
            model: None,
            price: None,
            request: None,
            reason: None,
            at: at.as_microsecond(),
        }
    }
}

fn already(attempt: AttemptId, state: State) -> Failure<LedgerError> {
    let message = format!("attempt {attempt} is {} already", state.name());
    Failure::Refused(LedgerError::Misuse(message))
}

/// Usage as it reads back.
fn as_stored(usage: Usage) -> Usage {
    let stored = |tokens: u64| u64::try_from(stored_tokens(tokens)).unwrap_or(0);
    Usage {
        input: stored(usage.input),
        cache_write_5m: stored(usage.cache_write_5m),
        cache_write_1h: stored(usage.cache_write_1h),
        cache_read: stored(usage.cache_read),
        output: stored(usage.output),
    }
}

pub(super) fn unacknowledged(connection: &Connection) -> rusqlite::Result<Vec<Overrun>> {
    connection
        .prepare_cached(
            "SELECT reservations.attempt, COALESCE(settlements.model, reservations.model), settlements.request,
                settlements.held, settlements.cost
             FROM settlements JOIN reservations ON reservations.seq = settlements.reservation
             WHERE settlements.overrun = 1 AND NOT EXISTS (
                SELECT 1 FROM acknowledgements
                WHERE acknowledgements.reservation = settlements.reservation
                AND acknowledgements.revision = settlements.revision)
             ORDER BY settlements.reservation, settlements.revision",
        )?
        .query_map([], |row| {
            Ok(Overrun {
                attempt: row.get(0)?,
                model: row.get(1)?,
                request_id: row.get(2)?,
                held: Money::from_picodollars(row.get(3)?),
                cost: Money::from_picodollars(row.get(4)?),
            })
        })?
        .collect()
}

fn unended_owners(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    transaction
        .prepare("SELECT id FROM owners WHERE id NOT IN (SELECT owner FROM owner_ends)")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn recover_owner(
    transaction: &Transaction<'_>,
    id: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<Recovered>> {
    let open: Vec<(i64, i64, Recovered)> = transaction
        .prepare(
            "SELECT seq, amount, attempt, run, model FROM reservations
             WHERE owner = ?1 AND NOT EXISTS (SELECT 1 FROM settlements WHERE reservation = seq)
             ORDER BY seq",
        )?
        .query_map([id], |row| {
            let amount = row.get(1)?;
            let recovered = Recovered {
                attempt: row.get(2)?,
                run: row.get(3)?,
                model: row.get(4)?,
                amount: Money::from_picodollars(amount),
            };
            Ok((row.get(0)?, amount, recovered))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (seq, amount, _) in &open {
        let attempt = Open {
            seq: *seq,
            amount: *amount,
            predicted: None,
            tokenizer: None,
            latest: None,
        };
        let row = SettlementRow {
            reason: Some("the process that sent it is gone".to_owned()),
            ..attempt.row(State::Recovered, now)
        };
        row.insert(transaction)?;
    }
    let runs: Vec<String> = transaction
        .prepare("SELECT id FROM runs WHERE owner = ?1 AND id NOT IN (SELECT run FROM run_ends)")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for run in runs {
        let run: RunId = run.parse().map_err(|_| super::open::misread("run", &run))?;
        runs::insert_end(transaction, &run, RunEnd::Failed, now)?;
    }
    transaction.execute(
        "INSERT INTO owner_ends (owner, at) VALUES (?1, ?2)",
        (id, now.as_microsecond()),
    )?;
    Ok(open
        .into_iter()
        .map(|(_, _, recovered)| recovered)
        .collect())
}
