package core

import (
	"bytes"
	"context"
	"heddle/access"
	"heddle/fault"
	"net/http"
	"time"
)

// Broadcast is what a stream that is not a run's sends. One goroutine uses it; Close is called
// once, when the stream ends.
type Broadcast interface {
	// Wait waits until there may be frames, until ctx ends, or atMost; false: it was in vain.
	Wait(ctx context.Context, atMost time.Duration) bool
	// Frames appends the text of the frames since the last call that who may see to b; nothing
	// where there are none.
	Frames(who access.Principal, b *bytes.Buffer)
	// Ended reports whether no frames will come any more: the stream ends behind the last.
	Ended() bool
	Close()
}

// broadcastBeat is the time between two comments on a quiet stream.
const broadcastBeat = 15 * time.Second

// StreamBroadcast sends what open returns for as long as the client stays. open is called once the
// stream's place in the tenant's quota is held; its error, and fault.TooMany quota_exceeded, are
// found before the answer begins. The key is checked again with each batch and heartbeat: the
// stream ends when it is revoked. A reader that stalls delays nobody: it is dropped after the time
// of one write.
func StreamBroadcast(c *Call, open func() (Broadcast, error)) error {
	setStreamHead(c)
	if c.Request.Method == http.MethodHead {
		return c.ReplyStatus(http.StatusOK)
	}
	leave, err := c.server.streams.reserve(c)
	if err != nil {
		return err
	}
	b, err := open()
	if err != nil {
		leave()
		return err
	}
	c.Answered, c.streaming = true, true
	f := &follower{server: c.server, tenantID: c.TenantID(), requestID: c.RequestID(), shown: credentialOf(c.Request), release: func() { b.Close(); leave() }}
	who := c.Principal
	f.begin(c, true, func(ctx context.Context, s *sse) { f.broadcast(ctx, who, b, s) })
	return nil
}

// broadcast writes frames until the reader has gone, its key is refused, or ctx ends. who is the
// caller as it was last known, which stays while the store is unavailable.
func (f *follower) broadcast(ctx context.Context, who access.Principal, b Broadcast, s *sse) {
	if s.write(nil) != nil { // the head goes out at once: the client sees that it is connected
		return
	}
	for {
		sent, err := writeFrames(who, b, s)
		if err != nil {
			return
		}
		if !sent {
			if b.Ended() {
				return
			}
			beat := !b.Wait(ctx, broadcastBeat)
			if ctx.Err() != nil {
				return
			}
			now, err := f.shown.principal(ctx, f.server.cfg.Access)
			switch {
			case fault.KindOf(err) == fault.Unavailable: // the next check decides
			case err != nil || now.TenantID != f.tenantID:
				return
			default:
				who = now
			}
			if beat && s.write([]byte(": ping\n\n")) != nil {
				return
			}
		}
	}
}

// writeFrames writes the frames that there are, and reports whether there were some. The memory
// for their text is every stream's, so that one on which nothing happens holds none.
func writeFrames(who access.Principal, b Broadcast, s *sse) (bool, error) {
	buf, _ := frames.Get().(*bytes.Buffer)
	defer frames.Put(buf)
	buf.Reset()
	b.Frames(who, buf)
	if buf.Len() == 0 {
		return false, nil
	}
	return true, s.write(buf.Bytes())
}
