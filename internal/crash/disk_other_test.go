//go:build !linux

package crash

func behindADisk() {}
