//! What is done to a source once it was loaded. The intent is made while the source is read and kept before anything is
//! done, so that whoever finds it after a crash can tell what happened and finish it.

/// What is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To a folder below the connection's, which is made when it is not there.
    Move {
        to: String,
    },
    Delete,
}

/// What is to be done to which source, in which state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub deed: Deed,
    /// As [`FetchRequest::Path`](super::FetchRequest::Path) took it.
    pub path: String,
    /// What the source was when it was read ([`Check::stamp`](super::Check::stamp)): one that changed since is left
    /// alone.
    pub stamp: String,
    /// Tells the intents of different runs apart; stands in names.
    pub run: i64,
}

/// What became of a source, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    Done(String),
    /// Left alone, because another file is there now.
    Left(String),
    /// No file is there: someone removed it, or its disk is unavailable for a while.
    Gone(String),
}
