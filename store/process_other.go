//go:build !linux

package store

func machineName() string { return "" }

func processBegan(int) string { return "" }

func processGone(int) bool { return false }
