//go:build !linux

package store

// machineName is unknown here, so no process is ever taken for ended.
func machineName() string { return "" }

// processStartTime is unknown here.
func processStartTime(int) string { return "" }

// processMissing is never called to decide: no name of a process is known here.
func processMissing(int) bool { return false }
