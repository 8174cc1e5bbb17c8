//! "Who uses me?", answered from above. A room knows no room above it and reads none of their tables; what would lose
//! something if a thing were gone says so itself, by a question that it answers. `guards.rs` lists the questions, at the
//! top of the map; [`App`](crate::app::App) carries them down.

use crate::db::Conn;
use crate::error::Result;

/// What is to be put away, or to change so that others could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Application(i64),
    Block(i64),
    Connection(i64),
    Configuration(i64),
    /// An import set.
    Set(i64),
    /// A translation table.
    Translation(i64),
    /// A kept file.
    KeptFile(i64),
    /// A member as the Owner of what runs with their rights.
    Owner(i64),
    /// A group of members.
    Group(i64),
    /// A member, by what they have: where they may go, what they own, what they are told of.
    Member(i64),
}

/// What one room says that uses a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// "import configurations", "schedules", "runs".
    pub by: &'static str,
    pub names: Vec<Named>,
}

/// One that uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As it stands in a sentence: `"Nightly sales" in FP&A`.
    pub words: String,
    /// The page on which it can be changed.
    pub href: String,
}

/// A room's answer; `None`: nothing of its own uses the thing.
pub type Ask = fn(&mut Conn, Thing) -> Result<Option<Uses>>;

/// What the values that somebody gives for a thing are called from now on, by what they were called; `None` of one that
/// nothing asks for any more.
pub type Renamed<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What one room does to the values that it keeps for a thing.
pub type Follow = fn(&mut Conn, Thing, Renamed<'_>) -> Result<()>;

/// All that rooms do when values are called otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Followers(pub &'static [Follow]);

impl Followers {
    /// Lets all rooms follow.
    pub fn follow(self, conn: &mut Conn, thing: Thing, renamed: Renamed<'_>) -> Result<()> {
        self.0.iter().try_for_each(|follow| follow(conn, thing, renamed))
    }
}

/// What opened something for a member and does not any more, as the audit log names what became of it.
#[derive(Clone, Debug)]
pub struct Shut {
    pub action: &'static str,
    pub kind: &'static str,
    pub id: i64,
    pub application_id: Option<i64>,
}

/// What one room ends once whoever could open a member's account no longer may.
pub type End = fn(&mut Conn, i64) -> Result<Vec<Shut>>;

/// All that rooms end with what opens a member's account.
#[derive(Clone, Copy, Debug)]
pub struct Enders(pub &'static [End]);

impl Enders {
    /// Ends all of it, and answers what it was.
    pub fn end(self, conn: &mut Conn, member_id: i64) -> Result<Vec<Shut>> {
        let mut shut = Vec::new();
        for end in self.0 {
            shut.extend(end(conn, member_id)?);
        }
        Ok(shut)
    }
}

/// The lines of `guards.rs`.
#[derive(Clone, Copy, Debug)]
pub struct Guards {
    pub asks: &'static [Ask],
    pub follow: &'static [Follow],
    pub end: &'static [End],
}

/// All questions.
#[derive(Clone, Copy, Debug)]
pub struct InUse(pub &'static [Ask]);

impl InUse {
    /// What uses a thing, room by room.
    pub fn uses(self, conn: &mut Conn, thing: Thing) -> Result<Vec<Uses>> {
        let mut found = Vec::new();
        for ask in self.0 {
            found.extend(ask(conn, thing)?.filter(|uses| !uses.names.is_empty()));
        }
        Ok(found)
    }

    /// All that uses a thing, by name.
    pub fn all(self, conn: &mut Conn, thing: Thing) -> Result<Vec<Named>> {
        Ok(self.uses(conn, thing)?.into_iter().flat_map(|uses| uses.names).collect())
    }
}

/// The first of them, and how many more there are: "Ada, Bo, and 3 more".
pub fn listed(names: &[Named], most: usize) -> String {
    let shown = &names[..names.len().min(most)];
    match names.len() - shown.len() {
        0 => words(shown, ", "),
        more => format!("{}, and {more} more", words(shown, ", ")),
    }
}

/// Their words, one after the other.
pub fn words(names: &[Named], between: &str) -> String {
    names.iter().map(|named| named.words.as_str()).collect::<Vec<_>>().join(between)
}
