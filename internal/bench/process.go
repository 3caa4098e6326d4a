package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// serverProcess is this program, serving in a process of its own, so that its memory is
// measured apart from that of the clients.
type serverProcess struct {
	cmd    *exec.Cmd
	client *client.Client // as the admin of the server's tenant
}

// server starts a server process over the session's database, with further settings
// ("NAME=value"), and returns once it serves. The process gets this one's environment
// without its settings (withoutSettings). The caller stops it; the end of ctx sends it
// SIGTERM.
func (b *session) server(ctx context.Context, settings ...string) (*serverProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"serve"}
	if b.plan.Profile != "" {
		args = append(args, "--profile", filepath.Join(b.plan.Profile, b.part+".server"))
	}
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // this very program
	cmd.Env = append(withoutSettings(b.Environ), b.settings(append([]string{"HEDDLE_LISTEN=127.0.0.1:0"}, settings...)...)...)
	// SIGTERM and not SIGKILL, which would leave the database to be recovered by the next
	// part.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = b.Err
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &serverProcess{cmd: cmd}
	// The line is printed once requests are answered, so that start-up can be measured by
	// it.
	address, err := awaitServing(out)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.client = client.New(address, adminKey, client.WithAttempts(1), client.WithHTTPClient(manyConnections()))
	return s, nil
}

// withoutSettings returns the environment without the caller's settings of Heddle and
// OpenTelemetry, which would change the figures.
func withoutSettings(environ []string) (kept []string) {
	for _, pair := range environ {
		if !strings.HasPrefix(pair, "HEDDLE_") && !strings.HasPrefix(pair, "WORKFLOW_") && !strings.HasPrefix(pair, "OTEL_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// awaitServing reads a server's standard output up to the line that names its address
// (process.greet of the command), and returns the address. The rest of the output, a few
// lines, is not read and fits into the pipe.
func awaitServing(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "  serving"); ok {
			return strings.TrimSpace(address), nil
		}
	}
	return "", fmt.Errorf("the server ended before it served")
}

// stop sends SIGTERM to the server and waits for its end. An exit code other than 0 is
// an error.
func (s *serverProcess) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	return nil
}

// memory returns the server's resident bytes: now, and the peak so far.
func (s *serverProcess) memory() (resident, peak int64, err error) { return memory(s.cmd.Process.Pid) }

// memory returns the resident bytes of a process, now and at the peak, from
// /proc. It fails where there is no /proc.
func memory(pid int) (resident, peak int64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		// See proc(5). The kernel counts pages that are mapped in, shared ones too.
		case "VmRSS":
			resident = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return resident, peak, nil
}

// resetPeak restarts the kernel's count of this process's peak resident memory.
// Where the kernel refuses, the peak stays that of the whole process.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
