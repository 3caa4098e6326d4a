package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a server process has spent since it began.
type usage struct {
	cpu     time.Duration // user and system time of all its threads
	commits int64         // group commits of runs
}

// usage reads what the server has spent so far: its CPU time from /proc, in steps of 10 ms,
// and its commits from its own metrics.
func (s *serverProcess) usage(ctx context.Context) (u usage, err error) {
	if u.cpu, err = cpuTime(s.cmd.Process.Pid); err != nil {
		return u, err
	}
	u.commits, err = s.count(ctx, `heddle_commit_seconds_count{of="runs"}`)
	return u, err
}

// cpuTime returns user and system time of a process, from /proc (proc(5): the 14th and
// 15th field, counted in hundredths of a second on Linux). It fails where there is no /proc.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field, the program's name, may hold spaces; it ends with the last bracket.
	_, rest, found := bytes.Cut(text, []byte(") "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat cannot be read: %q", pid, text)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

// count returns a counter of the server's /metrics, named as its line begins; 0: there is no
// such line yet.
func (s *serverProcess) count(ctx context.Context, name string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.client.URL()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.HTTP().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return 0, err
	}
	for line := range strings.Lines(body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int64(n), err
		}
	}
	return 0, nil
}
