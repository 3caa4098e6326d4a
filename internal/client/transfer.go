package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Version returns the definition of one version of a workflow: a number or a label.
func (c *Client) Version(ctx context.Context, workflow, version string) (json.RawMessage, error) {
	// encoding/json matches the name without regard to case.
	var answer struct{ Definition json.RawMessage }
	path := "/api/workflows/" + url.PathEscape(workflow) + "/versions/" + url.PathEscape(version)
	err := c.Do(ctx, Request{Method: http.MethodGet, Path: path}, &answer)
	return answer.Definition, err
}

// Export copies the export with that query to out, as it comes. After an error out may hold a
// part of it.
func (c *Client) Export(ctx context.Context, query url.Values, out io.Writer) error {
	resp, err := c.send(ctx, Request{Method: http.MethodGet, Path: "/api/workflows/export?" + query.Encode()})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// What is not an export must not end up in the caller's file.
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return refused(resp, body)
	}
	// The server breaks the connection of an export that it cannot complete.
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("the export broke off, what came is not complete: %w", err)
	}
	return nil
}

// Arrival is a workflow that an import stored or left out. Line is the number of its line, from
// 1.
type Arrival struct {
	Line int    `json:"line"`
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

// Arrivals is what an import did, in the order of the lines.
type Arrivals struct {
	Imported []Arrival `json:"imported"`
	Skipped  []Arrival `json:"skipped"`
}

// Import sends the lines of an export. What was stored is returned also beside an *Error, as far
// as the server said so.
func (c *Client) Import(ctx context.Context, query url.Values, lines io.Reader) (Arrivals, error) {
	// Empty unless the server answered with lists.
	var done Arrivals
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/api/workflows/import?"+query.Encode(), lines)
	if err != nil {
		return done, err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := c.do(req)
	if err != nil {
		return done, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return done, fmt.Errorf("read the answer: %w", err)
	}
	// A refusal of a line has the same two lists beside its error.
	err = json.Unmarshal(body, &done)
	if resp.StatusCode != http.StatusOK {
		return done, refused(resp, body)
	}
	return done, err
}
