package steps

import (
	"bytes"
	"context"
	"errors"
	"heddle/executor"
	"io"
	"net/http"
	"os"
)

// maxSpooled is how many large bodies are received at once; each may take 64
// MiB of the disk while it comes.
const maxSpooled = 32

// errTooLarge says that a response has more than maxBody bytes, before or after its
// content codings are removed.
var errTooLarge = errors.New("response too large")

// spool receives bodies. A large one is written to the disk as it comes, which
// may take long, and read into memory once there is room for it. The files have
// no name: whatever ends the process, none is left behind.
type spool struct{ slots chan struct{} }

func newSpool() *spool { return &spool{make(chan struct{}, maxSpooled)} }

// read returns a response's body whole, without its codings and in UTF-8 (see
// plainBody); room is Call.Room.
func (s *spool) read(ctx context.Context, res *http.Response, reserve func(int64) error) ([]byte, error) {
	if res.ContentLength > maxBody && res.Request.Method != http.MethodHead {
		return nil, errTooLarge
	}
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
		return nil, err
	}
	defer file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	size, err := io.Copy(file, io.LimitReader(io.MultiReader(bytes.NewReader(head), in), maxBody+1))
	if err != nil {
		return nil, err
	}
	if size > maxBody {
		return nil, errTooLarge
	}
	if reserve != nil {
		if err := reserve(size); err != nil {
			return nil, err
		}
	}
	body := make([]byte, size)
	_, err = file.ReadAt(body, 0)
	return body, err
}
