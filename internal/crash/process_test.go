package crash

import (
	"bufio"
	"context"
	"fmt"
	"heddle/internal/await"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const adminKey = "crash-test-key-0123456789"

// built is where the binary is, compiled by the first test that wants it.
var built = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(binaries, "heddle")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "crashpoints", "-o", bin, "heddle/cmd/heddle")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return bin, fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// binaries is a folder that ends with the tests.
var binaries = filepath.Join(os.TempDir(), fmt.Sprint("heddle-crash-", os.Getpid()))

func TestMain(m *testing.M) {
	runBehindDisk() // does not return where this process is to become a server
	code := m.Run()
	_ = os.RemoveAll(binaries)
	os.Exit(code)
}

// build gives the real binary, with the named points at which it can be told
// to die.
func build(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// server is one life of the binary.
type server struct {
	cmd     *exec.Cmd
	base    string
	log     *tail
	started time.Duration // from exec to ready
	dead    chan struct{}
	err     error // of Wait; read after dead
}

// launch starts the binary and waits until it serves. An error means that it
// ended before that, as it may when a crash point lies in recovery.
func launch(ctx context.Context, bin string, env []string) (*server, error) {
	s := &server{log: &tail{}, dead: make(chan struct{})}
	s.cmd = exec.Command(bin, "serve")
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	address := make(chan string, 1)
	go s.watch(bufio.NewScanner(out), address)
	select {
	case s.base = <-address:
		s.started = time.Since(begun)
		return s, nil
	case <-s.dead:
		return s, fmt.Errorf("ended before it served: %w\n%s", s.err, s.log)
	case <-ctx.Done():
		s.kill()
		return s, fmt.Errorf("did not serve: %w\n%s", ctx.Err(), s.log)
	}
}

// watch reads what the server prints, passes its address on, and notes its end.
func (s *server) watch(lines *bufio.Scanner, address chan<- string) {
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "serving" {
			address <- f[1]
		}
	}
	s.err = s.cmd.Wait()
	close(s.dead)
}

// kill is the power failing.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.dead
}

// stop asks the server to end and reports whether it did so in order.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.dead:
	case <-time.After(await.Patience):
		s.kill()
		return fmt.Errorf("did not end within %s of SIGTERM", await.Patience)
	}
	if s.err != nil {
		return fmt.Errorf("%w\n%s", s.err, s.log)
	}
	return nil
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - 1<<16; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
