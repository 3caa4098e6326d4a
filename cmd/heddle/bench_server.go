package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"heddle/internal/client"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// benchServer is this program serving in a process of its own, so that its
// memory can be told from that of the clients.
type benchServer struct {
	cmd    *exec.Cmd
	client *client.Client
}

// server starts one over the bench's database. Call stop.
func (b *bench) server(ctx context.Context, environ ...string) (*benchServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "serve")
	cmd.Env = append(withoutSettings(b.environ), append([]string{
		"HEDDLE_LISTEN=127.0.0.1:0", "HEDDLE_DATABASE_URL=" + b.url,
		"HEDDLE_BOOTSTRAP_KEY=" + benchKey, "HEDDLE_LOG_LEVEL=error",
	}, environ...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = b.err
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &benchServer{cmd: cmd}
	address, err := servingAt(out)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.client = &client.Client{Base: address, Key: benchKey, HTTP: manyConnections()}
	return s, nil
}

// withoutSettings leaves out what would change the figures.
func withoutSettings(environ []string) (kept []string) {
	for _, pair := range environ {
		if !strings.HasPrefix(pair, "HEDDLE_") && !strings.HasPrefix(pair, "WORKFLOW_") && !strings.HasPrefix(pair, "OTEL_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// servingAt reads where a server serves; the rest is read by nobody.
func servingAt(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "  serving"); ok {
			return strings.TrimSpace(address), nil
		}
	}
	return "", fmt.Errorf("the server ended before it served")
}

// stop ends the server and waits until it has.
func (s *benchServer) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	return nil
}

// memory gives the server's resident bytes, now and at most.
func (s *benchServer) memory() (resident, peak int64, err error) { return memory(s.cmd.Process.Pid) }
