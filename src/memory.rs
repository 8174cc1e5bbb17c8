//! The one thing that is asked of the allocator.
#![allow(unsafe_code)]

/// Gives the system back what is free. glibc keeps a pool for each thread that it has seen, and each load runs on threads
/// of its own: without this a server that loads millions of rows keeps the buffers of several loads. Takes a few
/// milliseconds.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes one plain number and touches only memory that nobody owns.
    unsafe {
        libc::malloc_trim(0);
    }
}
