package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	superuser = "heddle"
	startTime = 60 * time.Second // a loaded machine takes its time
)

// Server is a PostgreSQL server of the test process. It listens on a Unix
// socket in its own folder, and a small shell that waits on a pipe ends it
// when the process is gone.
type Server struct {
	// bin is the folder of PostgreSQL's programs, dir that of the data and the socket.
	bin, dir string
	// durable leaves fsync on.
	durable bool

	mu sync.Mutex // guards the fields below, and is held while the server starts or stops
	// stdin is the pipe that the guard waits on: closing it ends the server and
	// removes its data.
	stdin io.WriteCloser // nil: stopped
	ended chan struct{}  // closed when the guard has ended
}

// guard runs PostgreSQL and waits on its standard input: a line means stop,
// the end of the input means that the test process is gone, and the data with
// it.
const guard = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=300 $3 </dev/null & pid=$!
read -r order; known=$?
kill -QUIT $pid; wait $pid
if [ $known -ne 0 ]; then rm -rf "$2"; fi`

// fastSettings survive the end of the server, as the operating system keeps what
// was written, but not a power failure.
const fastSettings = "-c fsync=off -c full_page_writes=off"

// newServer makes a folder with an empty cluster and starts a server on it. After an
// error nothing of it is left.
func newServer(durable bool) (*Server, error) {
	var inMemory []string
	if !durable {
		inMemory = memoryDirs()
	}
	base, err := sharedTempDir(inMemory...)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(base, "heddle-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: findBinaries(), dir: dir, durable: durable}
	if err := chownToUser(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	initdb := exec.CommandContext(context.Background(), filepath.Join(s.bin, "initdb"), "-D", filepath.Join(dir, "data"), //nolint:gosec // the binary that findBinaries found
		"-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = dir
	unprivileged(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// start runs the server and waits, for at most startTime, until it says that it is
// ready. It is an error if the server runs already. An error of the server's own has
// the last lines of its log.
func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stdin != nil {
		return errors.New("it runs already")
	}
	settings := fastSettings
	if s.durable {
		settings = ""
	}
	cmd := exec.CommandContext(context.Background(), "/bin/sh", "-c", guard, "sh", s.bin, s.dir, settings) //nolint:gosec // no shell text is made of these
	cmd.Dir = s.dir
	unprivileged(cmd)
	leash, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	var end error // set before ended is closed
	go func() {
		defer close(ended)
		said := watchLog(log, ready)
		// Only after the log was read: Wait closes the pipe.
		end = errors.Join(cmd.Wait(), said)
	}()
	select {
	case <-ready:
		s.stdin, s.ended = leash, ended
		return nil
	case <-ended:
		return fmt.Errorf("it ended at once: %w", end)
	case <-time.After(startTime):
		err := leash.Close()
		<-ended
		return errors.Join(errors.New("it did not get ready"), err, end)
	}
}

// watchLog reads the server's log to its end, closes ready once when the server is
// ready, and returns the log's last ten lines as an error if it never was. It must go
// on reading after that: a full pipe would stop the server.
func watchLog(log io.Reader, ready chan<- struct{}) error {
	var tail []string
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for told := false; lines.Scan(); {
		if !told && strings.Contains(lines.Text(), "ready to accept connections") {
			told = true
			tail = nil
			close(ready)
		}
		if !told {
			tail = append(tail, lines.Text())
		}
	}
	if len(tail) > 0 {
		return errors.New(strings.Join(tail[max(0, len(tail)-10):], "\n"))
	}
	return nil
}

// stop ends the server at once, without a checkpoint, and keeps its data. It is an
// error if the server is stopped already.
func (s *Server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stdin == nil {
		return errors.New("it is stopped already")
	}
	// A line, and not the end of the input, which would take the data as well.
	if _, err := io.WriteString(s.stdin, "stop\n"); err != nil {
		return err
	}
	<-s.ended
	s.stdin = nil
	return nil
}

// running reports whether the server was started and not stopped since.
func (s *Server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stdin != nil
}

// remove ends the server, if it runs, and removes its folder.
func (s *Server) remove() {
	if s.running() {
		_ = s.stop()
	}
	_ = os.RemoveAll(s.dir)
}

// findBinaries returns the folder of the newest PostgreSQL, or "". Those in
// /usr/lib/postgresql, where Debian has every version apart, come before PATH. Of those
// the longest path comes first, and of the same length the last by name.
func findBinaries() string {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(candidates, func(a, b string) int {
		return len(b)*1000 - len(a)*1000 + strings.Compare(b, a)
	})
	if path, err := exec.LookPath("initdb"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	for _, dir := range candidates {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	return ""
}

// executable reports whether path is a file that may be executed.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// sharedTempDir finds a temporary folder that every user can reach: root's tests
// run the server as another user. Those that are preferred come first, then TMPDIR.
func sharedTempDir(preferred ...string) (string, error) {
	for _, dir := range append(preferred, os.TempDir(), "/tmp", "/var/tmp") {
		if reachable(dir) {
			return dir, nil
		}
	}
	return "", errors.New("no temporary folder that other users can reach: set TMPDIR")
}

// reachable reports whether every user may enter a folder and all those above it.
func reachable(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
