//! A date of a Block as its period, in SQL: the same as [`period`](crate::applications::blocks::period) makes of a day.

use crate::applications::blocks::period::Unit;
use crate::db::Conn;
use crate::formats::ColumnType;

/// The first day of the period that a date lies in, or in a column of text its name. `begins` is the month in which a year
/// begins.
pub fn of(conn: &Conn, cell: &str, (unit, begins): (Unit, u32), to: ColumnType) -> String {
    let is_date = to == ColumnType::Date;
    match conn {
        Conn::Sqlite(_) => {
            let day = format!("date({cell} * 86400, 'unixepoch')");
            let into = format!("((strftime('%m', {day}) + {}) % 12)", 12 - begins);
            let first = |months: &str| format!("date({day}, 'start of month', (0 - {months}) || ' months')");
            let days = |date: String| format!("CAST(unixepoch({date}) / 86400 AS INTEGER)");
            let text = |format: &str| format!("strftime('{format}', {day})");
            let first_day = first(&into);
            let called = format!(
                "CASE WHEN {cell} IS NOT NULL THEN printf('{}', strftime('%Y', {first_day}) + {}) END",
                year(begins),
                later(begins)
            );
            match unit {
                Unit::Day if is_date => cell.to_owned(),
                Unit::Day => day,
                // 1970-01-01 was a Thursday, and a remainder has the sign of what is divided.
                Unit::Week if is_date => format!("({cell} - (({cell} + 3) % 7 + 7) % 7)"),
                Unit::Week => text("%G-W%V"),
                Unit::Month if is_date => days(first("0")),
                Unit::Month => text("%Y-%m"),
                Unit::Quarter if is_date => days(first(&format!("{into} % 3"))),
                Unit::Quarter => format!("(({called}) || '-Q' || ({into} / 3 + 1))"),
                Unit::Year if is_date => days(first(&into)),
                Unit::Year => called,
            }
        }
        Conn::Pg(_) => {
            let into = format!("((CAST(extract(month FROM {cell}) AS INTEGER) + {}) % 12)", 12 - begins);
            let month = format!("date_trunc('month', {cell})");
            let first = |months: &str| format!("CAST({month} - make_interval(months => {months}) AS DATE)");
            let text = |format: &str| format!("to_char({cell}, '{format}')");
            let fiscal = if begins == 1 { "" } else { "FY" };
            let year = format!("CAST(extract(year FROM {}) + {} AS TEXT)", first(&into), later(begins));
            // Longer texts would be cut.
            let called = format!("('{fiscal}' || lpad({year}, greatest(4, length({year})), '0'))");
            match unit {
                Unit::Day if is_date => cell.to_owned(),
                Unit::Day => text("YYYY-MM-DD"),
                Unit::Week if is_date => format!("CAST(date_trunc('week', {cell}) AS DATE)"),
                Unit::Week => text("IYYY-\"W\"IW"),
                Unit::Month if is_date => first("0"),
                Unit::Month => text("YYYY-MM"),
                Unit::Quarter if is_date => first(&format!("{into} % 3")),
                Unit::Quarter => format!("({called} || '-Q' || ({into} / 3 + 1))"),
                Unit::Year if is_date => first(&into),
                Unit::Year => called,
            }
        }
    }
}

/// A year that does not begin in January is called after the year in which it ends.
fn later(begins: u32) -> u32 {
    u32::from(begins != 1)
}

fn year(begins: u32) -> &'static str {
    if begins == 1 { "%04d" } else { "FY%04d" }
}
