//! What a line of the mapping does to the cells of its column, as the form's controls hold it.

use crate::applications::blocks::{Column, Unit};
use crate::formats::ColumnType;
use crate::imports::transform::{Case, Transform};
use crate::web::Form;

/// As it was typed.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// Null markers of its own, one a line.
    pub nulls: String,
    pub trim: bool,
    pub case: String,
    /// The translation table by its id.
    pub translate: String,
    pub default: String,
    pub period: String,
    pub year_begins: String,
    pub negate: bool,
    /// What the column can take.
    pub takes_period: bool,
    pub takes_sign: bool,
}

impl More {
    fn about(column: &Column) -> Self {
        use ColumnType::{Date, Dimension, Integer, Number, Text};
        Self {
            takes_period: matches!(column.column_type, Date | Text | Dimension),
            takes_sign: matches!(column.column_type, Integer | Number),
            ..Self::default()
        }
    }

    /// What the controls of line `i` hold.
    pub fn read(form: &Form, i: Option<usize>, column: &Column) -> Self {
        let Some(i) = i else { return Self::about(column) };
        let raw = |member: &str| form.raw(&format!("map-{i}-{member}")).to_owned();
        let ticked = |member: &str| form.ticked(&format!("map-{i}-{member}"));
        Self {
            nulls: raw("nulls"),
            trim: ticked("trim"),
            case: raw("case"),
            translate: raw("translate"),
            default: raw("default"),
            period: raw("period"),
            year_begins: raw("year_begins"),
            negate: ticked("negate"),
            ..Self::about(column)
        }
    }

    /// What a saved line says.
    pub fn of(nulls: Option<&[String]>, transform: &Transform, column: &Column) -> Self {
        let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
        Self {
            nulls: nulls.map(|nulls| nulls.join("\n")).unwrap_or_default(),
            trim: transform.trim,
            case: transform.case.map(|case| case.to_string()).unwrap_or_default(),
            translate: transform.translate.map(|id| id.to_string()).unwrap_or_default(),
            default: transform.default.clone().unwrap_or_default(),
            period: transform.period.map(|unit| unit.to_string()).unwrap_or_default(),
            year_begins: number(transform.year_begins),
            negate: transform.negate,
            ..Self::about(column)
        }
    }

    /// The null markers that are meant.
    pub fn nulls(&self) -> Option<Vec<String>> {
        let nulls: Vec<String> = self.nulls.lines().filter(|null| !null.is_empty()).map(str::to_owned).collect();
        Some(nulls).filter(|nulls| !nulls.is_empty())
    }

    /// What is meant. A month in which years begin is of no use to a period that does not depend on it, and January is
    /// the usual one.
    pub fn transform(&self) -> Transform {
        let period = Unit::parse(&self.period).filter(|_| self.takes_period);
        let begins = self.year_begins.parse().ok().filter(|month| *month != 1);
        Transform {
            trim: self.trim,
            case: Case::parse(&self.case),
            translate: self.translate.parse().ok(),
            default: Some(self.default.clone()).filter(|text| !text.is_empty()),
            period,
            year_begins: begins.filter(|_| matches!(period, Some(Unit::Quarter | Unit::Year))),
            negate: self.negate && self.takes_sign,
        }
    }

    /// Whether there is something to see.
    pub fn any(&self) -> bool {
        !self.transform().is_none() || !self.nulls.is_empty()
    }

    // What the controls offer beside the tables.

    pub fn cases(&self) -> Vec<(String, &'static str)> {
        Case::ALL.iter().map(|case| (case.to_string(), case.label())).collect()
    }

    pub fn periods(&self) -> Vec<(String, &'static str)> {
        Unit::ALL.iter().map(|unit| (unit.to_string(), unit.label())).collect()
    }

    /// The months by number and name.
    pub fn months(&self) -> Vec<(String, &'static str)> {
        let names = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        (1..=12).map(|month: usize| month.to_string()).zip(names).collect()
    }
}
