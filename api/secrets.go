package api

import (
	"heddle/access"
	"net/http"
)

type putSecret struct {
	Value string `json:"value" doc:"8 to 65,536 bytes of text. It is never shown again."`
}

type secretEntry struct {
	Name      string    `json:"name"`
	CreatedAt timestamp `json:"created_at"`
	UpdatedAt timestamp `json:"updated_at"`
}

type secretList struct {
	Secrets    []secretEntry `json:"secrets"`
	NextCursor *string       `json:"next_cursor" doc:"Null on the last page."`
}

func (h *Handler) secretsTable() []route {
	const one = "/v1/secrets/{secret}"
	return []route{
		route{
			method: http.MethodPut, path: one, id: "putSecret", takesSecret: true, tag: "access", summary: "Set a secret; configs read it as secrets.NAME",
			action: access.Admin, on: onSecret, body: bodyRequired, answers: noContent(),
			codes: []string{"secret_not_found", "invalid_secret_name", "invalid_secret", "secret_key_unavailable"},
		}.handle(withBody(h.putSecret)),
		route{
			method: http.MethodGet, path: "/v1/secrets", id: "listSecrets", tag: "access", summary: "List the secrets' names and dates, by name",
			action: access.Admin, on: onTenant, query: cursorPaging(), answers: ok(secretList{}),
		}.handle(noBody(h.listSecrets)),
		route{
			method: http.MethodDelete, path: one, id: "deleteSecret", tag: "access", summary: "Delete a secret; steps that name it fail from then on",
			action: access.Admin, on: onSecret, answers: noContent(), codes: []string{"secret_not_found"},
		}.handle(noBody(h.deleteSecret)),
	}
}

func (h *Handler) putSecret(c *call, req putSecret) error {
	name, err := c.param("secret")
	if err != nil {
		return err
	}
	if err := h.cfg.Secrets.Put(c.ctx(), c.tenantID(), name, req.Value); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

func (h *Handler) listSecrets(c *call) error {
	_, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.cfg.Secrets.List(c.ctx(), c.tenantID(), p.cursor, p.limit)
	if err != nil {
		return err
	}
	answer := secretList{Secrets: make([]secretEntry, len(list)), NextCursor: textOrNull(next)}
	for i, s := range list {
		answer.Secrets[i] = secretEntry{s.Name, timestamp(s.CreatedAt), timestamp(s.UpdatedAt)}
	}
	return c.reply(http.StatusOK, answer)
}

func (h *Handler) deleteSecret(c *call) error {
	name, err := c.param("secret")
	if err != nil {
		return err
	}
	if err := h.cfg.Secrets.Delete(c.ctx(), c.tenantID(), name); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}
