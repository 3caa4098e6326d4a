//go:build !linux

package store

// machineName is unknown here, so no process is ever taken for ended.
func machineName() string { return "" }

func processStartTime(int) string { return "" }

func processMissing(int) bool { return false }
