//! Reserving: the one place that says whether a request may be sent.

use jiff::Zoned;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::{
    Failure, Ledger, LedgerError, OverLimit, ReserveError, close,
    query::{self, Spent},
    row::{ReservationRow, stored_tokens},
    runs::Calendar,
};
use crate::{AttemptId, Money, PriceRow, RunId, prices::undated};

/// A request that is about to be sent. It cannot be made without a price.
#[derive(Clone, Copy, Debug)]
pub struct Reserve<'a> {
    /// The attempt; a retry is another one.
    pub attempt: AttemptId,
    /// The run that sends it, which has started and not ended.
    pub run: &'a RunId,
    /// The turn of the run, counted from 1.
    pub turn: u32,
    /// The model that is asked for.
    pub model: &'a str,
    /// Its price at the start of the request.
    pub price: &'a PriceRow,
    /// The most that the request can cost: [`PriceRow::worst`].
    pub amount: Money,
    /// [`crate::tokens`] of the whole prompt, for the calibration; `None` if it was not counted.
    pub predicted_input: Option<u64>,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Now, in the user's zone: the day and month that the cost will belong to.
    pub at: &'a Zoned,
}

/// How much may be spent. A missing limit limits nothing; a limit of zero, or below, means that nothing may be spent.
///
/// A limit counts what was spent under it and what is reserved under it, in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For an action: the root run and all runs under it.
    pub run: Option<Money>,
    /// For all runs of one server process.
    pub session: Option<Money>,
    /// For all runs ever in one workspace.
    pub workspace: Option<Money>,
    /// For a day of the user's calendar.
    pub day: Option<Money>,
    /// For a month of the user's calendar.
    pub month: Option<Money>,
    /// For the model that is asked for, in a day of the user's calendar.
    pub model_day: Option<Money>,
    /// For the model that is asked for, in a month of the user's calendar.
    pub model_month: Option<Money>,
}

impl Limits {
    /// The limits that hold when both `self` and `other` do. Never more than either.
    pub fn narrow(self, other: Self) -> Self {
        let both =
            |a: Option<Money>, b: Option<Money>| a.zip(b).map_or(a.or(b), |(a, b)| Some(a.min(b)));
        Self {
            run: both(self.run, other.run),
            session: both(self.session, other.session),
            workspace: both(self.workspace, other.workspace),
            day: both(self.day, other.day),
            month: both(self.month, other.month),
            model_day: both(self.model_day, other.model_day),
            model_month: both(self.model_month, other.model_month),
        }
    }
}

/// One of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    /// [`Limits::run`].
    Run,
    /// The budget that a run was started with.
    Share,
    /// [`Limits::session`].
    Session,
    /// [`Limits::workspace`].
    Workspace,
    /// [`Limits::day`].
    Day,
    /// [`Limits::month`].
    Month,
    /// [`Limits::model_day`].
    ModelDay,
    /// [`Limits::model_month`].
    ModelMonth,
}

impl LimitKind {
    /// What a sentence says after "the limit" or an amount.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Run => "for one run",
            Self::Share => "that this run was given",
            Self::Session => "for this session",
            Self::Workspace => "for this workspace",
            Self::Day => "for today",
            Self::Month => "for this month",
            Self::ModelDay => "for this model today",
            Self::ModelMonth => "for this model this month",
        }
    }

    /// Its key in the configuration, if it has one: under `[budget]`, or under the model's own table there.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::Run => Some("per_run"),
            Self::Share => None,
            Self::Session => Some("per_session"),
            Self::Workspace => Some("per_workspace"),
            Self::Day | Self::ModelDay => Some("per_day"),
            Self::Month | Self::ModelMonth => Some("per_month"),
        }
    }
}

/// Money that is held for a request. The request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "settle, book or release it, or it counts in full until the next recovery"]
pub struct Reservation {
    /// The attempt it was made for.
    pub attempt: AttemptId,
    /// The amount.
    pub amount: Money,
    /// What is left under the tightest limit.
    pub headroom: Option<Headroom>,
}

/// What is left under a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Headroom {
    /// The limit.
    pub which: LimitKind,
    /// What is left; never below zero.
    pub left: Money,
}

impl Ledger {
    /// Holds the most that a request can cost, if every limit allows it. Durable when it returns.
    ///
    /// All limits are compared in one transaction that no other process can write into, so two windows that ask at
    /// the same moment cannot both get the last dollar.
    pub fn reserve(&self, reserve: &Reserve<'_>) -> Result<Reservation, ReserveError> {
        if reserve.amount < Money::ZERO {
            let message = format!("the reservation of attempt {} is negative", reserve.attempt);
            return Err(LedgerError::Misuse(message).into());
        }
        let owner = self.owner(reserve.at.timestamp())?;
        self.write(|transaction| {
            let refuse = |error: ReserveError| Err(Failure::Refused(error));
            let attempt = reserve.attempt.to_string();
            let repeated: bool = transaction
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM reservations WHERE attempt = ?1)")?
                .query_row([&attempt], |row| row.get(0))?;
            if repeated {
                return refuse(ReserveError::Repeated(reserve.attempt));
            }
            let Some(place) = RunPlace::of(transaction, reserve.run)? else {
                let message = format!(
                    "run {} never started, so nothing can be reserved for it",
                    reserve.run
                );
                return refuse(LedgerError::Misuse(message).into());
            };
            if query::run_end(transaction, reserve.run)?.is_some() {
                return refuse(ReserveError::RunEnded(reserve.run.clone()));
            }
            // What costs nothing cannot make a wrong price worse.
            if !reserve.amount.is_zero()
                && let Some(overrun) = close::unacknowledged(transaction)?.into_iter().next()
            {
                return refuse(ReserveError::Overrun(overrun));
            }
            let calendar = Calendar::of(reserve.at);
            let asked = Asked {
                run: reserve.run,
                model: reserve.model,
                limits: reserve.limits,
            };
            let checks = checks(transaction, &asked, &place, &calendar)?;
            let over = checks
                .iter()
                .find_map(|check| check.refusal(reserve.amount, reserve.model));
            if let Some(over) = over {
                return refuse(over.into());
            }
            let row = ReservationRow {
                attempt,
                run: reserve.run.as_str().to_owned(),
                root: place.root,
                session: place.session,
                workspace: place.workspace,
                day: calendar.day,
                month: calendar.month,
                turn: reserve.turn,
                model: reserve.model.to_owned(),
                price: reserve.price.id().to_owned(),
                tokenizer: reserve.price.tokenizer().name().to_owned(),
                predicted: reserve.predicted_input.map(stored_tokens),
                amount: reserve.amount.picodollars(),
                owner: owner.clone(),
                at: calendar.at,
                zone: calendar.zone,
            };
            row.insert(transaction)?;
            let headroom = tightest(&checks).map(|headroom| Headroom {
                left: headroom.left.saturating_sub(reserve.amount),
                ..headroom
            });
            Ok(Reservation {
                attempt: reserve.attempt,
                amount: reserve.amount,
                headroom,
            })
        })
    }

    /// What a run could still reserve for `model`, and which limit says so; `None` if nothing limits it.
    pub fn headroom(
        &self,
        run: &RunId,
        model: &str,
        limits: &Limits,
        at: &Zoned,
    ) -> Result<Option<Headroom>, LedgerError> {
        self.read(|connection| {
            let Some(place) = RunPlace::of(connection, run)? else {
                return Ok(None);
            };
            let asked = Asked { run, model, limits };
            let checks = checks(connection, &asked, &place, &Calendar::of(at))?;
            Ok(tightest(&checks))
        })
    }
}

/// Where a run's costs are counted.
struct RunPlace {
    root: String,
    session: String,
    workspace: String,
}

impl RunPlace {
    fn of(connection: &Connection, run: &RunId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT root, session, workspace FROM runs WHERE id = ?1")?
            .query_row([run.as_str()], |row| {
                Ok(Self {
                    root: row.get(0)?,
                    session: row.get(1)?,
                    workspace: row.get(2)?,
                })
            })
            .optional()
    }
}

/// A limit and what counts against it.
struct Check {
    which: LimitKind,
    limit: Money,
    spent: Spent,
}

impl Check {
    fn refusal(&self, asked: Money, model: &str) -> Option<OverLimit> {
        let [limit, spent, reserved, asked_for] =
            [self.limit, self.spent.settled, self.spent.reserved, asked]
                .map(|amount| i128::from(amount.picodollars()));
        (spent + reserved + asked_for > limit).then(|| OverLimit {
            which: self.which,
            model: undated(model).to_owned(),
            limit: self.limit,
            spent: self.spent.settled,
            reserved: self.spent.reserved,
            asked,
        })
    }

    fn headroom(&self) -> Headroom {
        let left = self.limit.saturating_sub(self.spent.total());
        Headroom {
            which: self.which,
            left: left.max(Money::ZERO),
        }
    }
}

fn tightest(checks: &[Check]) -> Option<Headroom> {
    checks
        .iter()
        .map(Check::headroom)
        .min_by_key(|headroom| headroom.left)
}

/// Who asks, and for what.
struct Asked<'a> {
    run: &'a RunId,
    model: &'a str,
    limits: &'a Limits,
}

/// Every limit that holds for what is asked, the narrowest scope first.
fn checks(
    connection: &Connection,
    asked: &Asked<'_>,
    place: &RunPlace,
    calendar: &Calendar,
) -> rusqlite::Result<Vec<Check>> {
    let Asked { run, model, limits } = *asked;
    let mut checks = Vec::new();
    for (id, budget) in budgets(connection, run)? {
        checks.push(Check {
            which: LimitKind::Share,
            limit: Money::from_picodollars(budget),
            spent: query::spent_under(connection, &id)?,
        });
    }
    let scopes = [
        (LimitKind::Run, limits.run, "root", &place.root),
        (
            LimitKind::Session,
            limits.session,
            "session",
            &place.session,
        ),
        (
            LimitKind::Workspace,
            limits.workspace,
            "workspace",
            &place.workspace,
        ),
        (LimitKind::Day, limits.day, "day", &calendar.day),
        (LimitKind::Month, limits.month, "month", &calendar.month),
    ];
    for (which, limit, column, key) in scopes {
        if let Some(limit) = limit {
            checks.push(Check {
                which,
                limit: limit.max(Money::ZERO),
                spent: query::spent_where(connection, column, key)?,
            });
        }
    }
    let of_model = [
        (LimitKind::ModelDay, limits.model_day, "day", &calendar.day),
        (
            LimitKind::ModelMonth,
            limits.model_month,
            "month",
            &calendar.month,
        ),
    ];
    for (which, limit, column, key) in of_model {
        if let Some(limit) = limit {
            checks.push(Check {
                which,
                limit: limit.max(Money::ZERO),
                spent: query::spent_on_model(connection, column, key, model)?,
            });
        }
    }
    Ok(checks)
}

/// The budgets of `run` and of every run above it.
fn budgets(connection: &Connection, run: &RunId) -> rusqlite::Result<Vec<(String, i64)>> {
    connection
        .prepare_cached(
            "WITH RECURSIVE above (id, parent, budget) AS (
                SELECT id, parent, budget FROM runs WHERE id = ?1
                UNION ALL
                SELECT runs.id, runs.parent, runs.budget FROM runs JOIN above ON runs.id = above.parent
             )
             SELECT id, budget FROM above WHERE budget IS NOT NULL",
        )?
        .query_map([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
