//go:build !unix

package storetest

import "os/exec"

// unprivileged does nothing: there is no root here that PostgreSQL would refuse.
func unprivileged(*exec.Cmd) {}

func chownToUser(string) error { return nil }
