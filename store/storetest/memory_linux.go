package storetest

import "syscall"

// memoryDirs returns the folders in memory with room for the databases of a test
// process, 1 GiB: files are made there and removed in a fraction of a disk's time, and
// these tests make thousands.
func memoryDirs() []string {
	const dir, room = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room { //nolint:gosec // a block's size is positive
		return nil
	}
	return []string{dir}
}
