//! A line of a mapping as the API takes and answers it.

use super::mapping::{Expr, Mapping};
use super::transform::{Case, Part, Transform};
use crate::applications::blocks::{Aggregate, Unit};
use crate::error::FieldErrors;
use crate::shape::{Number, sent};

sent! {
    /// What fills one column of the Block.
    pub struct MappingBody {
        /// A column of the source.
        from: String => "Day",
        /// The same value in every row, written as in a cell of the source.
        constant: String,
        /// The Block's column.
        to: String => "Date",
        /// Cells that mean empty in this column. Default: the source's, except in a text column.
        nulls: Vec<String>,
        /// Of a Block: how the cells of several rows become one, where the target has fewer dimensions.
        aggregate: Aggregate,
        /// Columns and texts, one after the other.
        join: Vec<PartBody>,
        /// True: the time at which the load began.
        loaded_at: bool,
        /// Whether space before and behind goes.
        trim: bool,
        /// How letters are written.
        case: Case,
        /// The translation table by which values become others.
        translate: i64,
        /// What an empty cell becomes.
        default: String,
        /// A date becomes the first day of its period, or in a column of text its name.
        period: Unit,
        /// The month in which a year begins, and with it its quarters. Default: 1.
        year_begins: Number<1, 12> => 4,
        /// Whether the sign is flipped.
        negate: bool,
    }
}

sent! {
    /// A piece of a cell that is put together.
    pub struct PartBody {
        /// A column of the source.
        from: String => "Year",
        /// The same in every row.
        text: String,
    }
}

impl MappingBody {
    /// What would save it unchanged.
    pub fn of(line: &Mapping) -> Self {
        let Transform { trim, case, translate, default, period, year_begins, negate } = &line.transform;
        let said = |truth: bool| Some(true).filter(|_| truth);
        let mut body = Self {
            to: Some(line.to.clone()),
            nulls: line.nulls.clone(),
            aggregate: line.aggregate,
            trim: said(*trim),
            case: *case,
            translate: *translate,
            default: default.clone(),
            period: *period,
            year_begins: year_begins.map(|month| Number(month.into())),
            negate: said(*negate),
            ..Self::default()
        };
        match &line.fills {
            Expr::Column(name) => body.from = Some(name.clone()),
            Expr::Constant(text) => body.constant = Some(text.clone()),
            Expr::Join(parts) => body.join = Some(parts.iter().map(PartBody::of).collect()),
            Expr::LoadedAt(_) => body.loaded_at = Some(true),
        }
        body
    }

    /// The lines that are meant; what is wrong with one is added to the errors.
    pub fn read(lines: Vec<Self>, errors: &mut FieldErrors) -> Vec<Mapping> {
        let mut mapping = Vec::with_capacity(lines.len());
        for (i, line) in lines.into_iter().enumerate() {
            let loaded_at = line.loaded_at.filter(|truth| *truth);
            let fills = match (line.from, line.constant, line.join, loaded_at) {
                (Some(name), None, None, None) => Expr::Column(name),
                (None, Some(text), None, None) => Expr::Constant(text),
                (None, None, None, Some(_)) => Expr::LoadedAt(true),
                (None, None, Some(parts), None) => Expr::Join(PartBody::read(parts, i, errors)),
                _ => {
                    let one = "Give one of: a column of the source (from), a constant, join, loaded_at.";
                    errors.add(format!("mapping[{i}].from"), one);
                    continue;
                }
            };
            let transform = Transform {
                trim: line.trim.unwrap_or_default(),
                case: line.case,
                translate: line.translate,
                default: line.default,
                period: line.period,
                year_begins: line.year_begins.and_then(|Number(month)| u32::try_from(month).ok()),
                negate: line.negate.unwrap_or_default(),
            };
            let to = line.to.unwrap_or_default();
            mapping.push(Mapping { fills, to, nulls: line.nulls, aggregate: line.aggregate, transform });
        }
        mapping
    }
}

impl PartBody {
    fn of(part: &Part) -> Self {
        match part {
            Part::Column(name) => Self { from: Some(name.clone()), text: None },
            Part::Text(text) => Self { from: None, text: Some(text.clone()) },
        }
    }

    fn read(parts: Vec<Self>, line: usize, errors: &mut FieldErrors) -> Vec<Part> {
        let mut read = Vec::with_capacity(parts.len());
        for (i, part) in parts.into_iter().enumerate() {
            match (part.from, part.text) {
                (Some(name), None) => read.push(Part::Column(name)),
                (None, Some(text)) => read.push(Part::Text(text)),
                _ => errors
                    .add(format!("mapping[{line}].join[{i}].from"), "Give either a column of the source or a text."),
            }
        }
        read
    }
}
