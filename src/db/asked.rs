//! How a query is asked. What Diesel does with one is compiled anew for each shape of a query and each database, which was
//! a third of this program's code: here the shape is forgotten first, and what follows exists once for each kind of answer.

use std::marker::PhantomData;

use diesel::connection::Connection;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::{ExecuteDsl, LimitDsl, LoadQuery};
use diesel::{QueryResult, RunQueryDsl as Diesels};

/// A query or a statement without its shape. `ST`: the SQL type of what it answers.
pub struct Asked<'a, ST, DB> {
    query: Box<dyn QueryFragment<DB> + 'a>,
    answers: PhantomData<ST>,
}

impl<'a, ST, DB: diesel::backend::Backend> Asked<'a, ST, DB> {
    fn of(query: impl QueryFragment<DB> + 'a) -> Self {
        Self { query: Box::new(query), answers: PhantomData }
    }
}

impl<ST, DB: diesel::backend::Backend> QueryFragment<DB> for Asked<'_, ST, DB> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }
}

/// Diesel remembers prepared statements by their text: reckoning that is cheaper than all the code for remembering shapes.
impl<ST, DB> QueryId for Asked<'_, ST, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, DB> Query for Asked<'_, ST, DB> {
    type SqlType = ST;
}

impl<ST, C: Connection> Diesels<C> for Asked<'_, ST, C::Backend> {}

/// Diesel's verbs of the same names, of which it takes the place in [`db::prelude`](super::prelude).
pub trait RunQueryDsl<C: Connection>: Sized {
    /// How many rows a statement touched.
    fn execute<'a>(self, conn: &mut C) -> QueryResult<usize>
    where
        Self: QueryFragment<C::Backend> + 'a,
        Asked<'a, (), C::Backend>: ExecuteDsl<C>,
    {
        Diesels::execute(Asked::of(self), conn)
    }

    /// The same of a statement that inserts several rows: SQLite is given one after the other, each with its own defaults.
    fn execute_rows(self, conn: &mut C) -> QueryResult<usize>
    where
        Self: Diesels<C> + ExecuteDsl<C>,
    {
        Diesels::execute(self, conn)
    }

    /// All rows.
    fn load<'a, U>(self, conn: &mut C) -> QueryResult<Vec<U>>
    where
        Self: AsQuery,
        Self::Query: QueryFragment<C::Backend> + 'a,
        Asked<'a, Self::SqlType, C::Backend>: LoadQuery<'a, C, U>,
    {
        Diesels::load(Asked::of(self.as_query()), conn)
    }

    /// The same of a statement that answers.
    fn get_results<'a, U>(self, conn: &mut C) -> QueryResult<Vec<U>>
    where
        Self: AsQuery,
        Self::Query: QueryFragment<C::Backend> + 'a,
        Asked<'a, Self::SqlType, C::Backend>: LoadQuery<'a, C, U>,
    {
        self.load(conn)
    }

    /// The row of a query that has one.
    fn get_result<'a, U>(self, conn: &mut C) -> QueryResult<U>
    where
        Self: AsQuery,
        Self::Query: QueryFragment<C::Backend> + 'a,
        Asked<'a, Self::SqlType, C::Backend>: LoadQuery<'a, C, U>,
    {
        Diesels::get_result(Asked::of(self.as_query()), conn)
    }

    /// The first row.
    fn first<'a, U>(self, conn: &mut C) -> QueryResult<U>
    where
        Self: LimitDsl,
        Self::Output: AsQuery,
        <Self::Output as AsQuery>::Query: QueryFragment<C::Backend> + 'a,
        Asked<'a, <Self::Output as AsQuery>::SqlType, C::Backend>: LoadQuery<'a, C, U>,
    {
        Diesels::get_result(Asked::of(self.limit(1).as_query()), conn)
    }
}

impl<T: Diesels<C>, C: Connection> RunQueryDsl<C> for T {}
