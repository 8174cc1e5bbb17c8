//! How long the statements of a thread may take, and how long they wait for whoever holds their file.
//!
//! SQLite asks on the thread that runs the statement, so what it asks is kept by thread: a connection needs to know
//! nothing, whether it is Diesel's or ours.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::thread::LocalKey;
use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;

/// So many steps of SQLite's machine lie between two questions: some milliseconds at most.
const STEPS: c_int = 10_000;

type IsOver = *const dyn Fn() -> bool;

thread_local! {
    static OVER: Cell<Option<IsOver>> = const { Cell::new(None) };
    /// Where nobody says when it is over.
    static PATIENCE: Cell<Duration> = const { Cell::new(Duration::from_secs(15)) };
    static WAITS_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Every connection that is opened from now on asks its thread. Works only once SQLite has its settings.
pub fn ask_threads() {
    // SAFETY: the function has the signature that SQLite wants and lives as long as the process. It is added once,
    // however often this is called. It refuses only for want of memory, and then statements run on unasked.
    unsafe { ffi::sqlite3_auto_extension(Some(attend)) };
}

/// Runs deeds on this thread whose statements are ended once `is_over` says so, on whatever connection; until then they
/// wait for whoever holds the file. `is_over` is asked often: it should only look.
pub fn until<T>(is_over: &dyn Fn() -> bool, deeds: impl FnOnce() -> T) -> T {
    // SAFETY: only the lifetime is taken away. The pointer is reached through this thread's cell alone, and `with` takes
    // it out of there when the deeds end, also by a panic: it never outlives what it points to.
    let is_over = unsafe { std::mem::transmute::<&dyn Fn() -> bool, &'static dyn Fn() -> bool>(is_over) };
    with(&OVER, Some(ptr::from_ref(is_over)), deeds)
}

/// Runs deeds on this thread whose statements wait no longer than this for whoever holds the file.
pub fn soon<T>(patience: Duration, deeds: impl FnOnce() -> T) -> T {
    with(&PATIENCE, patience, deeds)
}

fn with<V: Copy, T>(key: &'static LocalKey<Cell<V>>, value: V, deeds: impl FnOnce() -> T) -> T {
    struct Before<V: Copy + 'static>(&'static LocalKey<Cell<V>>, V);
    impl<V: Copy> Drop for Before<V> {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _before = Before(key, key.replace(value));
    deeds()
}

/// `None`: this thread has said nothing.
fn is_over() -> Option<bool> {
    // SAFETY: what the cell holds is alive, see `until`.
    OVER.get().map(|is_over| unsafe { (*is_over)() })
}

unsafe extern "C" fn attend(db: *mut ffi::sqlite3, _: *mut *mut c_char, _: *const ffi::sqlite3_api_routines) -> c_int {
    // SAFETY: SQLite hands over the connection that it has just opened; neither handler has data of its own.
    unsafe {
        ffi::sqlite3_progress_handler(db, STEPS, Some(is_to_stop), ptr::null_mut());
        ffi::sqlite3_busy_handler(db, Some(is_to_wait), ptr::null_mut())
    }
}

unsafe extern "C" fn is_to_stop(_: *mut c_void) -> c_int {
    is_over().unwrap_or(false).into()
}

/// Asked each time the file is found held, `asked` times before; 0 gives up.
unsafe extern "C" fn is_to_wait(_: *mut c_void, asked: c_int) -> c_int {
    let now = Instant::now();
    if asked == 0 {
        WAITS_SINCE.set(Some(now));
    }
    let waited = WAITS_SINCE.get().map_or(Duration::ZERO, |since| now - since);
    if is_over().unwrap_or(waited >= PATIENCE.get()) {
        return 0;
    }
    std::thread::sleep(Duration::from_millis(1 << asked.clamp(0, 6)));
    1
}
