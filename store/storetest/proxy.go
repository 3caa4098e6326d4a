package storetest

import (
	"context"
	"database/sql"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands between a store and PostgreSQL. While it is frozen it accepts
// connections and passes nothing on, as a network does that swallows packets.
type Proxy struct {
	mu     sync.Mutex    // guards the fields below
	thawed chan struct{} // closed while it passes everything on
	conns  []net.Conn    // both ends of every connection so far
}

// NewProxy serves a proxy before the database that the URL names until the test
// ends, and returns the URL of the database behind it. The proxy listens on TCP, as
// only there a network can be cut; it is not frozen at first.
func NewProxy(t testing.TB, database string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	socket := filepath.Join(q.Get("host"), ".s.PGSQL.5432")
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{thawed: make(chan struct{})}
	close(p.thawed)
	go p.serve(ln, socket)
	t.Cleanup(func() {
		_ = ln.Close()
		p.Thaw()
		p.cut()
	})
	// The same database, but reached by the proxy's address.
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = ln.Addr().String(), q.Encode()
	return p, u.String()
}

// Freeze stops passing anything on, in both directions. It must not be called while
// the proxy is frozen: what waits would never be passed on.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thawed = make(chan struct{})
}

// Thaw passes on what was held back and all that comes.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
	default:
		close(p.thawed)
	}
}

// serve accepts connections until the listener is closed. One that comes while the
// proxy is frozen is accepted, and connected on once it is not.
func (p *Proxy) serve(ln net.Listener, socket string) {
	for {
		near, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			p.wait()
			far, err := (&net.Dialer{}).DialContext(context.Background(), "unix", socket)
			if err != nil {
				_ = near.Close()
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, near, far)
			p.mu.Unlock()
			go p.pass(far, near)
			p.pass(near, far)
		}()
	}
}

// wait returns once the proxy is not frozen.
func (p *Proxy) wait() {
	p.mu.Lock()
	thawed := p.thawed
	p.mu.Unlock()
	<-thawed
}

// pass passes on what it reads, until either side ends, and then ends the other.
func (p *Proxy) pass(to, from net.Conn) {
	piece := make([]byte, 32<<10)
	for {
		// What was read while the proxy is frozen is held, and passed on afterwards.
		n, err := from.Read(piece)
		p.wait()
		if n > 0 {
			if _, err := to.Write(piece[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = to.Close()
	_, _ = io.Copy(io.Discard, from)
	_ = from.Close()
}

// cut closes all connections.
func (p *Proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// LockFile takes the write lock of a SQLite file, as another process may, until
// the function that it returns is called or the test ends. It waits for a writer that
// has the lock, for up to a minute.
func LockFile(t testing.TB, path string) (unlock func()) {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(context.Background())
	if err == nil {
		_, err = conn.ExecContext(context.Background(), "PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() {
		_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
		_ = conn.Close()
		_ = pool.Close()
	})
	t.Cleanup(unlock)
	return unlock
}
