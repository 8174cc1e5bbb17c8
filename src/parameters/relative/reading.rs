//! How relative dates are written: forgiving in case and spaces, strict in all else.

use chrono::{Datelike, NaiveDate, Weekday};

use super::{Base, RelativeDate, Step, Unit};

/// So many units may be added at once.
const MOST: u32 = 9_999;
/// So often may something be added.
const MOST_STEPS: usize = 5;
/// The longest expression, in characters.
const LONGEST: usize = 100;

impl RelativeDate {
    /// Reads what somebody wrote; the error says what can be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.trim().chars().filter(|c| !c.is_control()).take(40).collect();
            format!(
                "\"{shown}\" is not a date. Use a date such as 2026-11-25, or words such as yesterday, -3d, start of last \
                 month or monday of this week."
            )
        };
        if text.chars().count() > LONGEST {
            return Err(wrong());
        }
        if let Some(date) = iso(text.trim()) {
            return Ok(Self { base: Base::Date(date), steps: Vec::new() });
        }
        let mut parser = Parser { tokens: tokens(text).ok_or_else(wrong)?, at: 0 };
        parser.whole().ok_or_else(wrong)
    }
}

fn unit_named(word: &str) -> Option<Unit> {
    Some(match word {
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "m" | "month" | "months" => Unit::Month,
        "q" | "quarter" | "quarters" => Unit::Quarter,
        "y" | "year" | "years" => Unit::Year,
        _ => return None,
    })
}

/// `2026-11-25`, and nothing that chrono would forgive.
fn iso(text: &str) -> Option<NaiveDate> {
    let digits = |part: &str, long: usize| part.len() == long && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    (date.year() >= 1).then_some(date)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(u32),
    Plus,
    Minus,
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut rest = |is: fn(&char) -> bool| {
            let mut run = String::from(c.to_ascii_lowercase());
            while let Some(next) = chars.next_if(is) {
                run.push(next.to_ascii_lowercase());
            }
            run
        };
        match c {
            c if c.is_whitespace() || c == '_' => {}
            '+' => found.push(Token::Plus),
            '-' | '\u{2212}' | '\u{2013}' => found.push(Token::Minus),
            c if c.is_ascii_alphabetic() => found.push(match rest(char::is_ascii_alphabetic).as_str() {
                "plus" => Token::Plus,
                "minus" => Token::Minus,
                word => Token::Word(word.to_owned()),
            }),
            c if c.is_ascii_digit() => found.push(Token::Number(rest(char::is_ascii_digit).parse().ok()?)),
            _ => return None,
        }
    }
    Some(found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn whole(&mut self) -> Option<RelativeDate> {
        let (base, first) = match self.tokens.first()? {
            Token::Plus | Token::Minus => (Base::Today, None),
            _ => self.base()?,
        };
        let mut steps: Vec<Step> = first.into_iter().collect();
        while self.at < self.tokens.len() {
            steps.push(self.step()?);
        }
        (steps.len() <= MOST_STEPS).then_some(RelativeDate { base, steps })
    }

    /// One way or another; what did not fit is as if it was not tried.
    fn either<T>(&mut self, way: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let at = self.at;
        let found = way(self);
        if found.is_none() {
            self.at = at;
        }
        found
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        Some(token)
    }

    fn word(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    fn one_of(&mut self, words: &[&str]) -> Option<()> {
        self.either(|p| p.word().filter(|word| words.contains(&word.as_str())).map(|_| ()))
    }

    fn number(&mut self) -> Option<u32> {
        self.either(|p| match p.next()? {
            Token::Number(number) if number <= MOST => Some(number),
            Token::Word(word) if matches!(word.as_str(), "a" | "an" | "one") => Some(1),
            _ => None,
        })
    }

    fn unit(&mut self) -> Option<Unit> {
        self.either(|p| unit_named(&p.word()?))
    }

    fn weekday(&mut self) -> Option<Weekday> {
        self.either(|p| p.word().filter(|word| word.len() >= 3)?.parse().ok())
    }

    /// `-3d`, `+ 2 weeks`.
    fn step(&mut self) -> Option<Step> {
        self.either(|p| {
            let sign = match p.next()? {
                Token::Plus => 1,
                Token::Minus => -1,
                _ => return None,
            };
            Some(Step { count: sign * i32::try_from(p.number()?).ok()?, unit: p.unit()? })
        })
    }

    /// `3 days ago`, `in 2 weeks`, `2 weeks from today`.
    fn spoken_step(&mut self) -> Option<Step> {
        self.either(|p| {
            let ahead = p.one_of(&["in"]).is_some();
            let (count, unit) = (i32::try_from(p.number()?).ok()?, p.unit()?);
            if ahead {
                return Some(Step { count, unit });
            }
            if p.one_of(&["ago"]).is_some() {
                return Some(Step { count: -count, unit });
            }
            p.one_of(&["from"])?;
            p.one_of(&["now", "today"])?;
            Some(Step { count, unit })
        })
    }

    /// `last month`, `month`, `-2m`, `2 months ago`.
    fn period(&mut self) -> Option<Step> {
        if let Some(step) = self.step().or_else(|| self.spoken_step()) {
            return Some(step);
        }
        let _ = self.one_of(&["the"]);
        let count = [(&["this", "current"][..], 0), (&["last", "previous"], -1), (&["next"], 1)]
            .iter()
            .find_map(|(words, count)| self.one_of(words).map(|()| *count));
        Some(Step { count: count.unwrap_or(0), unit: self.unit()? })
    }

    fn period_of(&mut self, unit: Unit) -> Option<i32> {
        self.one_of(&["of", "in"])?;
        self.period().filter(|step| step.unit == unit).map(|step| step.count)
    }

    /// The base, and where it is today and something added, that.
    fn base(&mut self) -> Option<(Base, Option<Step>)> {
        let day = |count| Some(Step { count, unit: Unit::Day });
        for (word, step) in [("today", None), ("yesterday", day(-1)), ("tomorrow", day(1))] {
            if self.one_of(&[word]).is_some() {
                return Some((Base::Today, step));
            }
        }
        if let Some(step) = self.spoken_step() {
            return Some((Base::Today, Some(step)));
        }
        let _ = self.one_of(&["the"]);
        let base =
            self.either(Self::edge).or_else(|| self.either(Self::of_month)).or_else(|| self.either(Self::of_week));
        base.map(|base| (base, None))
    }

    /// `start of last month`, `last day of this quarter`.
    fn edge(&mut self) -> Option<Base> {
        let is_start = match self.word()?.as_str() {
            "start" | "beginning" | "begin" => true,
            "end" => false,
            which @ ("first" | "last") => {
                let first = which == "first";
                self.one_of(&["day"])?;
                first
            }
            _ => return None,
        };
        self.one_of(&["of"])?;
        let period = self.period()?;
        Some(if is_start { Base::Start(period) } else { Base::End(period) })
    }

    /// `day 15 of last month`, `15th of this month`, `first monday of next month`.
    fn of_month(&mut self) -> Option<Base> {
        let named = self.one_of(&["day"]).is_some();
        if let Some(day) = self.number() {
            if !named {
                let _ = self.one_of(&["st", "nd", "rd", "th"]);
            }
            let months = self.period_of(Unit::Month)?;
            return (1..=31).contains(&day).then_some(Base::DayOf(day, months));
        }
        let ordinals = ["last", "first", "second", "third", "fourth"];
        let nth = (0u32..).zip(ordinals).find_map(|(nth, word)| self.one_of(&[word]).map(|()| nth))?;
        let weekday = self.weekday()?;
        Some(Base::NthOf(nth, weekday, self.period_of(Unit::Month)?))
    }

    /// `monday of last week`, `friday`, `last friday`, `next friday`.
    fn of_week(&mut self) -> Option<Base> {
        if self.one_of(&["last", "previous"]).is_some() {
            return Some(Base::Nearest(self.weekday()?, false));
        }
        if self.one_of(&["next"]).is_some() {
            return Some(Base::Nearest(self.weekday()?, true));
        }
        let weekday = self.weekday()?;
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) if word == "of" => Some(Base::OfWeek(weekday, self.period_of(Unit::Week)?)),
            _ => Some(Base::OfWeek(weekday, 0)),
        }
    }
}
