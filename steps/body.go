package steps

import (
	"bytes"
	"context"
	"errors"
	"heddle/executor"
	"io"
	"net/http"
	"os"
	"syscall"
)

// maxSpooled is how many large bodies are received at once. Each may take maxBody bytes
// of the disk while it arrives.
const maxSpooled = 32

// errTooLarge means that a response has more than maxBody bytes, before or after its
// content codings are removed.
var errTooLarge = errors.New("response too large")

// diskError is a failure of this server's disk while a response was received: neither the receiver
// nor the network is at fault.
type diskError struct{ cause error }

// Error names the cause without the file.
func (e *diskError) Error() string {
	if errno, ok := errors.AsType[syscall.Errno](e.cause); ok {
		return errno.Error()
	}
	return "the file could not be used"
}

// Unwrap returns what the system said.
func (e *diskError) Unwrap() error { return e.cause }

// onDisk writes to a file of this server; its errors are diskErrors, so that they are told from
// those of the connection that is copied from.
type onDisk struct{ file *os.File }

// Write writes to the file.
func (d onDisk) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	if err != nil {
		return n, &diskError{err}
	}
	return n, nil
}

// spool receives the bodies of responses. A large one is written to the disk as it
// arrives, which may take long, and read into memory once there is room for it. The
// files have no name, so that none is left behind whatever ends the process. It is safe
// for concurrent use.
type spool struct{ slots chan struct{} } // one token for each file that is open

// newSpool returns a spool for maxSpooled bodies at once.
func newSpool() *spool { return &spool{make(chan struct{}, maxSpooled)} }

// read returns a response's body whole, without its codings and in UTF-8 (plainBody). A
// body of at most executor.MaxInline bytes is read into memory at once; a larger one
// waits for a free slot and, once its size is known, for memory. reserve is
// Call.ReserveMemory and may be nil. errTooLarge is returned for a body of more than
// maxBody bytes, a diskError where this server could not keep it. The caller closes res.Body.
func (s *spool) read(ctx context.Context, res *http.Response, reserve func(int64) error) ([]byte, error) {
	if res.ContentLength > maxBody && res.Request.Method != http.MethodHead {
		return nil, errTooLarge
	}
	// Counted after decoding, as that is what takes memory.
	in := plainBody(res)
	head, err := io.ReadAll(io.LimitReader(in, executor.MaxInline+1))
	if err != nil || len(head) <= executor.MaxInline {
		return head, err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	file, err := os.CreateTemp("", "heddle-response-")
	if err != nil {
		return nil, &diskError{err}
	}
	defer file.Close()
	// The open descriptor keeps the bytes; the name is gone before any are written.
	if err := os.Remove(file.Name()); err != nil {
		return nil, &diskError{err}
	}
	size, err := io.Copy(onDisk{file}, io.LimitReader(io.MultiReader(bytes.NewReader(head), in), maxBody+1))
	if err != nil {
		return nil, err
	}
	if size > maxBody {
		return nil, errTooLarge
	}
	// Only now is the size known, and nothing large is held while waiting.
	if reserve != nil {
		if err := reserve(size); err != nil {
			return nil, err
		}
	}
	body := make([]byte, size)
	if _, err := file.ReadAt(body, 0); err != nil {
		return nil, &diskError{err}
	}
	return body, nil
}
