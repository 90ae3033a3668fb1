//! Runs a test in a process of its own, and changes what that process may do.

use std::io;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, panic};

const ALONE: &str = "ZT_MEMORY_TEST_ALONE";

/// Runs `body` in a new process of this program. `test` is the full name of the test that calls this.
pub(crate) fn alone(test: &str, body: impl FnOnce()) {
    if env::var_os(ALONE).is_some_and(|name| name == test) {
        return body();
    }
    let program = env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=2"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "no test is called `{test}`");
    for line in said.lines().filter(|line| line.starts_with("skipped: ")) {
        println!("{line}");
    }
}

/// How much this process may lock from now on. Root may lock without limit, so the process is no longer root's.
pub(crate) fn limit_locked_memory(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: `limit` outlives the call.
    let limited = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
    assert_eq!(limited, 0, "{}", io::Error::last_os_error());
    const NOBODY: libc::uid_t = 65_534;
    // SAFETY: asks for a number.
    if unsafe { libc::geteuid() } == 0 {
        // SAFETY: changes who the process is.
        let changed = unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) };
        assert_eq!(changed, 0, "{}", io::Error::last_os_error());
        // Such a change makes the own /proc/self/mem unreadable.
        // SAFETY: sets a flag of the process.
        let dumpable = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
        assert_eq!(dumpable, 0, "{}", io::Error::last_os_error());
    }
}

/// Makes memfd_secret(2) fail in this thread and those that it starts, as container runtimes do.
pub(crate) fn deny_secret_memory() {
    let instruction = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let number = u32::try_from(libc::SYS_memfd_secret).unwrap();
    let refusal = libc::SECCOMP_RET_ERRNO | u32::try_from(libc::EPERM).unwrap();
    let mut filter = [
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number, 0, 1),
        instruction(libc::BPF_RET | libc::BPF_K, refusal, 0, 0),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog {
        len: 4,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: sets a flag of the thread.
    let set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the program and its filter outlive the call, which copies them.
    let denied = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program, 0, 0) };
    assert_eq!(denied, 0, "{}", io::Error::last_os_error());
}

/// Forks, and says whether `child` was true in the child. A child that hangs is ended and fails the test.
pub(crate) fn in_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child does what the test asks and leaves without running anybody's destructors.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "{}", io::Error::last_os_error());
    if pid == 0 {
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(child));
        let code = if matches!(outcome, Ok(true)) { 0 } else { 1 };
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(code) };
    }
    let begun = Instant::now();
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        if waited == pid {
            return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
        }
        if begun.elapsed() > Duration::from_secs(60) {
            // SAFETY: the child is ours and not yet waited for.
            let _ = unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        thread::sleep(Duration::from_millis(1));
    }
}
