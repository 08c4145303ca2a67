//! Which file system a directory is on, where Linux tells.

use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Its type, for example `ext4`.
    pub kind: String,
    /// What it is mounted from, for example `/dev/vda1`.
    pub device: String,
    /// Where it is mounted.
    pub at: PathBuf,
    /// How it is mounted: its own options and those of the file system, separated by commas.
    pub options: String,
}

impl Mount {
    /// The file system of a directory; none where the system does not tell.
    pub fn of(directory: &Path) -> Option<Self> {
        let whole = fs::canonicalize(directory).ok()?;
        Self::find(&fs::read_to_string("/proc/self/mountinfo").ok()?, &whole)
    }

    /// The innermost mount that a path is under, of what `/proc/self/mountinfo` lists; of two
    /// in one place the later one, which hides the earlier.
    pub fn find(mountinfo: &str, path: &Path) -> Option<Self> {
        let mounts = mountinfo.lines().filter_map(Self::parse);
        mounts.filter(|mount| path.starts_with(&mount.at)).max_by_key(|m| m.at.components().count())
    }

    /// One line: `36 35 98:0 / /mnt rw,noatime shared:1 - ext4 /dev/vda1 rw,errors=continue`
    fn parse(line: &str) -> Option<Self> {
        let (own, of_system) = line.split_once(" - ")?;
        let mut own = own.split(' ').skip(4);
        let (at, own_options) = (own.next()?, own.next()?);
        let mut of_system = of_system.split(' ');
        let (kind, device) = (of_system.next()?, of_system.next()?);
        let options = format!("{own_options},{}", of_system.next().unwrap_or_default());
        Some(Self {
            kind: kind.to_owned(),
            device: plain(device),
            at: PathBuf::from(plain(at)),
            options,
        })
    }

    /// Is it mounted with this option?
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|one| one == option)
    }
}

/// The kernel writes a space, a tab, a line end and a backslash as three octal digits.
fn plain(field: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    codes.iter().fold(field.to_owned(), |text, (code, sign)| text.replace(code, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 22 0:26 / /home rw,nosuid shared:5 master:2 - tmpfs tmpfs rw,size=64k
31 30 254:2 / /home rw,noatime - xfs /dev/vdb rw,nobarrier
32 22 0:40 / /mnt/a\\040b rw - nfs4 host:/x\\134y rw
broken line
";

    fn of(path: &str) -> Mount {
        Mount::find(INFO, Path::new(path)).unwrap()
    }

    #[test]
    fn the_innermost_and_latest_mount_is_the_one() {
        assert_eq!(of("/var/lib").device, "/dev/vda1");
        // Not under `/home`, although it begins with the same letters.
        assert_eq!(of("/homestead").kind, "ext4");
        assert_eq!(of("/home/me").kind, "xfs");
        assert_eq!(of("/mnt/a b/c").device, "host:/x\\y");
        assert_eq!(Mount::find("", Path::new("/")), None);
    }

    #[test]
    fn options_are_those_of_the_mount_and_of_the_file_system() {
        let mount = of("/home");
        assert!(mount.has("noatime") && mount.has("nobarrier"));
        assert!(!mount.has("barrier") && !mount.has("nosuid"));
    }
}
