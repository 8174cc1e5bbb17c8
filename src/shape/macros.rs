//! The two macros that say what a request and what an answer holds, one member a line.

/// A body, or the parameters of an address. Every member may be absent; `= "…"` says what to do about one that must
/// not be, `=> …` is an example. After the semicolon stand objects whose members are this one's own.
///
/// ```ignore
/// sent! {
///     /// The fields of a Block to create or change.
///     pub struct BlockBody {
///         /// Its name.
///         name: String = "Enter a name." => "Airlines",
///         /// The columns, in their order.
///         columns: Vec<ColumnBody>,
///     }
/// }
/// ```
macro_rules! sent {
    ($(#[doc = $about:literal])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $needed:literal)? $(=> $example:expr)?),* $(,)?
        $(; $($(#[doc = $flat_doc:literal])* $flat:ident: $flat_type:ty),+ $(,)?)?
    }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        $vis struct $name {
            $($(#[doc = $doc])* pub $field: Option<$type>,)*
            $($($(#[doc = $flat_doc])* #[serde(flatten)] pub $flat: $flat_type,)+)?
        }

        impl $crate::shape::Members for $name {
            const NAME: &'static str = stringify!($name);
            const ABOUT: &'static str = concat!($($about),*);

            fn properties(_into: &mut $crate::shape::Properties) {
                $({
                    let example: Option<serde_json::Value> = None;
                    $(let example = example.or(Some(serde_json::json!($example)));)?
                    let needed: Option<&str> = None;
                    $(let needed = needed.or(Some($needed));)?
                    _into.sent::<$type>(stringify!($field), concat!($($doc),*), needed.is_some(), example);
                })*
                $($(<$flat_type as $crate::shape::Members>::properties(_into);)+)?
            }
        }

        impl $crate::shape::Fields for $name {
            fn take(_map: &mut $crate::shape::Object, _prefix: &str, _reader: &mut $crate::shape::Reader) -> Self {
                Self {
                    $($field: {
                        let needed: Option<&str> = None;
                        $(let needed = needed.or(Some($needed));)?
                        _reader.field(_map, _prefix, stringify!($field), needed)
                    },)*
                    $($($flat: $crate::shape::Fields::take(_map, _prefix, _reader),)+)?
                }
            }
        }
    };
}
pub(crate) use sent;

/// What is answered. With `of (…)` it is made from those things, each member by its expression; without, it is the
/// struct alone. After the semicolon as in `sent!`.
macro_rules! answer {
    ($(#[doc = $about:literal])* $vis:vis struct $name:ident of ($($from:ident: $from_type:ty),+) {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty = $value:expr),* $(,)?
        $(; $($(#[doc = $flat_doc:literal])* $flat:ident: $flat_type:ty = $flat_value:expr),+ $(,)?)?
    }) => {
        $crate::shape::answer! {
            $(#[doc = $about])* $vis struct $name {
                $($(#[doc = $doc])* $field: $type),*
                $(; $($(#[doc = $flat_doc])* $flat: $flat_type),+)?
            }
        }

        impl $name {
            pub fn of($($from: $from_type),+) -> Self {
                Self { $($field: $value,)* $($($flat: $flat_value,)+)? }
            }
        }
    };
    ($(#[doc = $about:literal])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty),* $(,)?
        $(; $($(#[doc = $flat_doc:literal])* $flat:ident: $flat_type:ty),+ $(,)?)?
    }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        $vis struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
            $($($(#[doc = $flat_doc])* #[serde(flatten)] pub $flat: $flat_type,)+)?
        }

        impl $crate::shape::Members for $name {
            const NAME: &'static str = stringify!($name);
            const ABOUT: &'static str = concat!($($about),*);

            fn properties(into: &mut $crate::shape::Properties) {
                $(into.answered::<$type>(stringify!($field), concat!($($doc),*));)*
                $($(<$flat_type as $crate::shape::Members>::properties(into);)+)?
            }
        }
    };
}
pub(crate) use answer;
