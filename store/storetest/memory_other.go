//go:build !linux

package storetest

func memoryDirs() []string { return nil }
