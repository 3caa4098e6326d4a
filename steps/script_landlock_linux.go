package steps

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// leastLandlock is the first ABI that also restricts truncation (Linux 6.2). Without
// that, a script of the server's own user could empty the database.
const leastLandlock = 3

// landlockABI returns the kernel's ABI version of landlock; 0: it has none, or one that
// is too old.
func landlockABI() int {
	v, err := ll.LandlockGetABIVersion()
	if err != nil || v < leastLandlock {
		return 0
	}
	return v
}

// Rights on files and directories, as landlock numbers them.
const (
	readFile   = ll.AccessFSReadFile | ll.AccessFSExecute
	writeFile  = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	readDir    = readFile | ll.AccessFSReadDir
	allRights3 = 1<<15 - 1 // every right of ABI 3
)

// landlockRules returns what an ABI can restrict, all of which is restricted: what no
// rule grants is denied. No rule grants networks, and none reaches outside by signals or
// abstract sockets, as far as the ABI knows them.
func landlockRules(abi int) ll.RulesetAttr {
	// A right that the kernel does not know would make it refuse the ruleset.
	attr := ll.RulesetAttr{HandledAccessFS: allRights3}
	if abi >= 4 {
		attr.HandledAccessNet |= ll.AccessNetBindTCP | ll.AccessNetConnectTCP
	}
	if abi >= 5 {
		attr.HandledAccessFS |= ll.AccessFSIoctlDev
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	if abi >= 9 {
		attr.HandledAccessFS |= ll.AccessFSResolveUnix
	}
	if abi >= 10 {
		attr.HandledAccessNet |= ll.AccessNetBindUDP | ll.AccessNetConnectSendUDP
	}
	return attr
}

// landlockRuleset makes a ruleset that leaves a process the system's programs, the
// interpreter's directories (readable) and the script's own directory, of which only
// work is writable. The caller closes the file.
func landlockRuleset(abi int, readable []string, own string) (*os.File, error) {
	attr := landlockRules(abi)
	fd, err := ll.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return nil, err
	}
	rules := os.NewFile(uintptr(fd), "landlock")
	// The script's text can be read but not changed while it runs.
	granted := map[string]uint64{own: readDir, filepath.Join(own, "work"): allRights3}
	for _, path := range append(append(systemDirs(), systemFiles()...), readable...) {
		granted[path] = readDir
	}
	for _, path := range deviceFiles() {
		granted[path] = writeFile
	}
	for path, rights := range granted {
		if err := grant(fd, path, rights); err != nil {
			return nil, errors.Join(err, rules.Close())
		}
	}
	return rules, nil
}

// grant adds rights on a path and, for a directory, on all below it. On a file it adds
// only the rights that files have, since the kernel refuses others. A path that does not
// exist needs no grant.
func grant(rules int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // read only
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= readFile | writeFile
	}
	return ll.LandlockAddPathBeneathRule(rules, &ll.PathBeneathAttr{ParentFd: fd, AllowedAccess: rights}, 0)
}
