//! Settings of the memory allocator.
#![allow(unsafe_code)]

/// Has glibc keep two pools and not eight for each core: buffers that one load freed serve the next, whatever threads the
/// two run on. No load and no page got slower. Called first of all.
pub fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes two plain numbers, and touches no memory that is in use.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

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
