package admin

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/internal/elements"
	"net/http"
)

// putSecret is a secret's value. It is the one body that is not searched for secrets.
type putSecret struct {
	// Value is taken as it is, white space included.
	Value string `json:"value" doc:"8 to 65,536 bytes of text. It is never shown again."`
}

// secretEntry is a secret without its value, which no answer shows.
type secretEntry struct {
	// Name is what configs read it by: secrets.NAME.
	Name      string         `json:"name"`
	CreatedAt core.Timestamp `json:"created_at"`
	// UpdatedAt is when the value was set last.
	UpdatedAt core.Timestamp `json:"updated_at"`
	// LastUsedAt is stored within a minute, at most once an hour and node.
	LastUsedAt *core.Timestamp `json:"last_used_at" doc:"When a step was last given the value, to the hour; null: never."`
	UsedBy     []usingStep     `json:"used_by" doc:"Steps of active and latest versions that name it: at most 100."`
}

// usingStep is a step that names a secret or an agent.
type usingStep struct {
	Workflow usingWorkflow `json:"workflow"`
	Version  int           `json:"version"`
	StepID   string        `json:"step_id"`
}

// usingWorkflow names the workflow of a usingStep.
type usingWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// usingStepOf returns a reference as answers show it.
func usingStepOf(r workflows.Reference) usingStep {
	return usingStep{usingWorkflow{r.WorkflowID, r.Slug, r.Name}, r.Version, r.StepID}
}

// secretList is a page of secrets, by name.
type secretList struct {
	Secrets    []secretEntry `json:"secrets"`
	NextCursor *string       `json:"next_cursor" doc:"Null on the last page."`
}

// secretRoutes returns the routes of secrets; none reads a value. OnSecret keeps grants on
// workflows from reaching them.
func (h *handlers) secretRoutes() []core.Route {
	const one = "/v1/secrets/{secret}"
	return []core.Route{
		// Its body is the one that may hold a secret, so that it is not searched for one.
		core.Route{
			Method: http.MethodPut, Path: one, ID: "putSecret", TakesSecret: true, Tag: "access", Summary: "Set a secret; configs read it as secrets.NAME",
			Action: access.Admin, On: core.OnSecret, Body: core.BodyRequired, Keeps: true, Answers: core.NoContent(),
			Codes: []string{"secret_not_found", "invalid_secret_name", "invalid_secret", "secret_key_unavailable"},
		}.Handle(core.WithBody(h.putSecret)),
		// Names are no secret, but only admins need them.
		core.Route{
			Method: http.MethodGet, Path: "/v1/secrets", ID: "listSecrets", Tag: "access", Summary: "List the secrets' names and dates and the steps that name them, by name",
			Action: access.Admin, On: core.OnTenant, Query: core.CursorPaging(), Answers: core.OK(secretList{}),
		}.Handle(core.NoBody(h.listSecrets)),
		// Runs that have read it keep what they read; nothing is cancelled.
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteSecret", Tag: "access", Summary: "Delete a secret; steps that name it fail from then on",
			Action: access.Admin, On: core.OnSecret, Answers: core.NoContent(), Codes: []string{"secret_not_found"},
		}.Handle(core.NoBody(h.deleteSecret)),
	}
}

// putSecret creates or replaces a secret, which is sealed before it is stored: 204. Attempts that
// have started keep the value that they read. Errors: fault.Unacceptable invalid_secret_name,
// invalid_secret; fault.Unavailable secret_key_unavailable.
func (h *handlers) putSecret(c *core.Call, req putSecret) error {
	name := c.Param("secret")
	if err := c.ReserveStorage(len(req.Value)); err != nil {
		return err
	}
	if err := h.Secrets.Put(c.Ctx(), c.TenantID(), name, req.Value); err != nil {
		return err
	}
	c.AddStored(len(req.Value))
	return c.ReplyStatus(http.StatusNoContent)
}

// listSecrets lists the secrets' names and dates and what uses them, by name.
func (h *handlers) listSecrets(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.Secrets.List(c.Ctx(), c.TenantID(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	answer := secretList{Secrets: make([]secretEntry, len(list)), NextCursor: core.TextOrNull(next)}
	for i, s := range list {
		answer.Secrets[i] = secretEntry{
			s.Name, core.Timestamp(s.CreatedAt), core.Timestamp(s.UpdatedAt), core.TimestampOrNil(s.LastUsedAt), elements.Map(s.UsedBy, usingStepOf),
		}
	}
	return c.Reply(http.StatusOK, answer)
}

// deleteSecret deletes a secret: 204, or fault.NotFound secret_not_found. Steps that name it fail
// from then on.
func (h *handlers) deleteSecret(c *core.Call) error {
	if err := h.Secrets.Delete(c.Ctx(), c.TenantID(), c.Param("secret")); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}
