//! The two kinds of rows that hold money: how they are written, sealed and checked.

use rusqlite::{Connection, Row, named_params};

use super::seal::Seal;
use crate::Usage;

/// A reservation as it is stored.
pub(super) struct ReservationRow {
    pub(super) attempt: String,
    pub(super) run: String,
    pub(super) root: String,
    pub(super) session: String,
    pub(super) workspace: String,
    pub(super) day: String,
    pub(super) month: String,
    pub(super) turn: u32,
    pub(super) model: String,
    pub(super) price: String,
    pub(super) tokenizer: String,
    pub(super) predicted: Option<i64>,
    pub(super) amount: i64,
    pub(super) owner: String,
    pub(super) at: i64,
    pub(super) zone: String,
}

impl ReservationRow {
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO reservations (attempt, run, root, session, workspace, day, month, turn, model, price,
                tokenizer, predicted, amount, owner, at, zone, seal)
             VALUES (:attempt, :run, :root, :session, :workspace, :day, :month, :turn, :model, :price,
                :tokenizer, :predicted, :amount, :owner, :at, :zone, :seal)",
        )?;
        statement.execute(named_params! {
            ":attempt": self.attempt,
            ":run": self.run,
            ":root": self.root,
            ":session": self.session,
            ":workspace": self.workspace,
            ":day": self.day,
            ":month": self.month,
            ":turn": self.turn,
            ":model": self.model,
            ":price": self.price,
            ":tokenizer": self.tokenizer,
            ":predicted": self.predicted,
            ":amount": self.amount,
            ":owner": self.owner,
            ":at": self.at,
            ":zone": self.zone,
            ":seal": self.seal(),
        })?;
        Ok(())
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            attempt: row.get("attempt")?,
            run: row.get("run")?,
            root: row.get("root")?,
            session: row.get("session")?,
            workspace: row.get("workspace")?,
            day: row.get("day")?,
            month: row.get("month")?,
            turn: row.get("turn")?,
            model: row.get("model")?,
            price: row.get("price")?,
            tokenizer: row.get("tokenizer")?,
            predicted: row.get("predicted")?,
            amount: row.get("amount")?,
            owner: row.get("owner")?,
            at: row.get("at")?,
            zone: row.get("zone")?,
        })
    }

    pub(super) fn seal(&self) -> i64 {
        Seal::of("reservations")
            .text(&self.attempt)
            .text(&self.run)
            .text(&self.root)
            .text(&self.session)
            .text(&self.workspace)
            .text(&self.day)
            .text(&self.month)
            .integer(i64::from(self.turn))
            .text(&self.model)
            .text(&self.price)
            .text(&self.tokenizer)
            .optional(self.predicted)
            .integer(self.amount)
            .text(&self.owner)
            .integer(self.at)
            .text(&self.zone)
            .value()
    }
}

/// A settlement as it is stored.
#[derive(Clone)]
pub(super) struct SettlementRow {
    pub(super) reservation: i64,
    pub(super) revision: i64,
    pub(super) state: String,
    pub(super) usage: Option<Usage>,
    pub(super) held: i64,
    pub(super) cost: i64,
    pub(super) overrun: bool,
    pub(super) model: Option<String>,
    pub(super) price: Option<String>,
    pub(super) request: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) at: i64,
}

impl SettlementRow {
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let [input, cache_write_5m, cache_write_1h, cache_read, output] = self.classes();
        let mut statement = connection.prepare_cached(
            "INSERT INTO settlements (reservation, revision, state, input, cache_write_5m, cache_write_1h, cache_read,
                output, held, cost, overrun, model, price, request, reason, at, seal)
             VALUES (:reservation, :revision, :state, :input, :cache_write_5m, :cache_write_1h, :cache_read,
                :output, :held, :cost, :overrun, :model, :price, :request, :reason, :at, :seal)",
        )?;
        statement.execute(named_params! {
            ":reservation": self.reservation,
            ":revision": self.revision,
            ":state": self.state,
            ":input": input,
            ":cache_write_5m": cache_write_5m,
            ":cache_write_1h": cache_write_1h,
            ":cache_read": cache_read,
            ":output": output,
            ":held": self.held,
            ":cost": self.cost,
            ":overrun": self.overrun,
            ":model": self.model,
            ":price": self.price,
            ":request": self.request,
            ":reason": self.reason,
            ":at": self.at,
            ":seal": self.seal(),
        })?;
        Ok(())
    }

    /// The settlement that holds for a reservation, if it has one.
    pub(super) fn latest(
        connection: &Connection,
        reservation: i64,
    ) -> rusqlite::Result<Option<Self>> {
        let mut statement = connection.prepare_cached(
            "SELECT * FROM settlements WHERE reservation = ?1 ORDER BY revision DESC LIMIT 1",
        )?;
        let mut rows = statement.query([reservation])?;
        rows.next()?.map(Self::read).transpose()
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            reservation: row.get("reservation")?,
            revision: row.get("revision")?,
            state: row.get("state")?,
            usage: usage(row)?,
            held: row.get("held")?,
            cost: row.get("cost")?,
            overrun: row.get("overrun")?,
            model: row.get("model")?,
            price: row.get("price")?,
            request: row.get("request")?,
            reason: row.get("reason")?,
            at: row.get("at")?,
        })
    }

    /// The same settlement, of the reservation with another number.
    pub(super) fn renumbered(&self, reservation: i64) -> Self {
        Self {
            reservation,
            ..self.clone()
        }
    }

    fn classes(&self) -> [Option<i64>; 5] {
        match &self.usage {
            Some(usage) => [
                usage.input,
                usage.cache_write_5m,
                usage.cache_write_1h,
                usage.cache_read,
                usage.output,
            ]
            .map(|tokens| Some(stored_tokens(tokens))),
            None => [None; 5],
        }
    }

    pub(super) fn seal(&self) -> i64 {
        let sealed = Seal::of("settlements")
            .integer(self.reservation)
            .integer(self.revision)
            .text(&self.state)
            .integer(self.held)
            .integer(self.cost)
            .integer(i64::from(self.overrun))
            .optional_text(self.model.as_deref())
            .optional_text(self.price.as_deref())
            .optional_text(self.request.as_deref())
            .optional_text(self.reason.as_deref())
            .integer(self.at);
        let sealed = self.classes().into_iter().fold(sealed, Seal::optional);
        sealed.value()
    }
}

/// The usage in a row of `settlements` or `attempts`; `None` where it is not known.
pub(super) fn usage(row: &Row<'_>) -> rusqlite::Result<Option<Usage>> {
    let class = |name: &str| -> rusqlite::Result<Option<u64>> {
        let tokens: Option<i64> = row.get(name)?;
        Ok(tokens.map(|tokens| u64::try_from(tokens).unwrap_or(0)))
    };
    Ok(Some(Usage {
        input: match class("input")? {
            Some(input) => input,
            None => return Ok(None),
        },
        cache_write_5m: class("cache_write_5m")?.unwrap_or(0),
        cache_write_1h: class("cache_write_1h")?.unwrap_or(0),
        cache_read: class("cache_read")?.unwrap_or(0),
        output: class("output")?.unwrap_or(0),
    }))
}

/// Token counts are kept below 2^53, so that sums of them stay inside an `i64` and inside a number of JSON.
pub(super) fn stored_tokens(tokens: u64) -> i64 {
    i64::try_from(tokens.min(1 << 53)).unwrap_or(i64::MAX)
}

/// The SQL of a sum of money, as two columns that cannot overflow. [`wide_sum`] puts them together.
pub(super) fn sum_columns(amount: &str, condition: &str) -> String {
    format!(
        "COALESCE(SUM({amount} >> 32) FILTER (WHERE {condition}), 0),
         COALESCE(SUM({amount} & 4294967295) FILTER (WHERE {condition}), 0)"
    )
}

/// The sum, in picodollars, in the two columns from `index` on.
pub(super) fn wide_sum(row: &Row<'_>, index: usize) -> rusqlite::Result<i128> {
    let (high, low): (i64, i64) = (row.get(index)?, row.get(index + 1)?);
    Ok((i128::from(high) << 32) + i128::from(low))
}
