package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// demoReceiver is an HTTP server that takes the delivery of the tour and verifies its
// signature as Standard Webhooks requires.
type demoReceiver struct {
	secret []byte // the key of the signature, decoded
	ln     net.Listener
	srv    *http.Server

	mu  sync.Mutex // guards got and bad, which the server's goroutines write
	got []counted  // valid deliveries, in order
	bad error      // why the last invalid delivery was refused; nil: none was
}

// newDemoReceiver starts a receiver on a free port. secret is "whsec_" and base64.
// The caller closes it.
func newDemoReceiver(ctx context.Context, secret string) (*demoReceiver, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &demoReceiver{secret: key, ln: ln}
	r.srv = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.srv.Serve(ln) }()
	return r, nil
}

// address returns the receiver's host:port, url its URL; close drops open connections.
func (r *demoReceiver) address() string { return r.ln.Addr().String() }
func (r *demoReceiver) url() string     { return "http://" + r.address() + "/counted" }
func (r *demoReceiver) close()          { _ = r.srv.Close() }

// ServeHTTP answers 204 to a delivery with a valid signature, 400 to any other.
func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	// A larger body cannot be right: the delivery has two numbers.
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err == nil {
		err = verifySignature(r.secret, req.Header, body, time.Now())
	}
	var delivery struct {
		Data counted `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(body, &delivery)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.bad = err
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got = append(r.got, delivery.Data)
	w.WriteHeader(http.StatusNoContent)
}

// delivery returns what was received. Anything but exactly one delivery, which was
// valid, is an error.
func (r *demoReceiver) delivery() (counted, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad != nil {
		return counted{}, fmt.Errorf("a delivery was not acceptable: %w", r.bad)
	}
	// Two would mean that a retry was not recognized, none that the step did nothing.
	if len(r.got) != 1 {
		return counted{}, fmt.Errorf("the receiver got %d deliveries, not one", len(r.got))
	}
	return r.got[0], nil
}

// verifySignature checks the header Webhook-Signature over "id.timestamp.body" (Standard
// Webhooks), and that the timestamp is within five minutes of now, against replays. The
// header may hold several signatures; one that matches is enough.
func verifySignature(secret []byte, h http.Header, body []byte, now time.Time) error {
	id, timestamp := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > 5*time.Minute {
		return fmt.Errorf("the delivery's time is %s off", age.Round(time.Second))
	}
	// Written out here and not shared with the step, so that the tour checks it
	// independently.
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for got := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return nil
		}
	}
	return errors.New("the signature does not match")
}

// demoDefinition returns the tour's workflow, demo.yaml, as canonical JSON.
func demoDefinition() (json.RawMessage, error) {
	doc, found := parser.Parse([]byte(demoWorkflow), source.YAML)
	if doc == nil || !validation.Valid(found) {
		return nil, fmt.Errorf("the workflow of the tour is not readable: %v", validation.Messages(found))
	}
	return doc.Canonical, nil
}

// frameData is the part of a frame that the tour shows.
type frameData struct {
	StepID string          `json:"step_id"`
	Output json.RawMessage `json:"output"`
	Error  *client.Failure `json:"error"`
}

// decodeFrame reads a frame's data; the zero value where it has another shape.
func decodeFrame(f client.Frame) frameData {
	var d frameData
	_ = json.Unmarshal(f.Data, &d) // a frame of another shape shows its name alone
	return d
}
