package admin

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/internal/elements"
	"heddle/system"
	"net/http"
)

// systemReport is how the server is. What concerns the whole server is for the operator, the
// admins of the tenant default: it is left out for others.
type systemReport struct {
	Build     buildBody         `json:"build"`
	Time      core.Timestamp    `json:"time"`
	Node      nodeState         `json:"node" doc:"The node that answers."`
	Clock     *clockOffset      `json:"clock" doc:"Null until it was compared with the database's."`
	Slots     *systemSlots      `json:"slots,omitempty" doc:"Of the node that answers, where it leads."`
	Queue     *systemQueue      `json:"queue,omitempty" doc:"Of the node that answers, where it leads."`
	Leader    *leaderBody       `json:"leader,omitempty" doc:"Left out where no node leads."`
	Nodes     []nodeBody        `json:"nodes,omitempty" doc:"Those seen in the last 90 seconds, by id: at most 100."`
	Store     *storeBody        `json:"store,omitempty"`
	Settings  []settingOfServer `json:"settings,omitempty" doc:"Of the node that answers."`
	StartedAt core.Timestamp    `json:"started_at" doc:"Of the node that answers."`
}

// buildBody is what was built.
type buildBody struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// nodeState is what a node may do.
type nodeState struct {
	ID    string `json:"id"`
	State string `json:"state" enum:"standby,recovering,resuming,isolating,leading,draining,aborting"`
}

// clockOffset is how far the node's clock is from the database's.
type clockOffset struct {
	OffsetSeconds float64 `json:"offset_seconds" doc:"Above 0: it is ahead of the database's."`
	Waits         bool    `json:"waits" doc:"Whether it is so far off that schedules wait."`
}

// systemSlots are the runs with a step in flight.
type systemSlots struct {
	Used int `json:"used"`
	Of   int `json:"of" doc:"WORKFLOW_MAX_CONCURRENT_RUNS."`
}

// systemQueue is what waits on the node that leads.
type systemQueue struct {
	Queued int `json:"queued" doc:"Queued runs that the node holds in memory; the database may have more."`
	Woken  int `json:"woken" doc:"Runs that go on as soon as there is a slot."`
	Runs   int `json:"runs" doc:"Runs in memory."`
	Steps  int `json:"steps" doc:"Attempts in flight."`
}

// leaderBody is the node that drives the runs.
type leaderBody struct {
	ID             string         `json:"id"`
	LeaseExpiresAt core.Timestamp `json:"lease_expires_at" doc:"Unless it is renewed."`
}

// nodeBody is a process that serves over the database.
type nodeBody struct {
	ID        string         `json:"id"`
	Host      string         `json:"host"`
	Version   string         `json:"version"`
	Leads     bool           `json:"leads"`
	Answers   bool           `json:"answers" doc:"Whether it is the one that answers."`
	StartedAt core.Timestamp `json:"started_at"`
	SeenAt    core.Timestamp `json:"seen_at" doc:"To the half minute."`
}

// storeBody is the database.
type storeBody struct {
	Kind      string `json:"kind" enum:"sqlite,postgres"`
	Schema    int64  `json:"schema" doc:"The newest migration that was applied."`
	SizeBytes int64  `json:"size_bytes" doc:"With what is free in it."`
}

// settingOfServer is one setting. The value of a secret one is never shown.
type settingOfServer struct {
	Name   string `json:"name"`
	Value  string `json:"value" doc:"*** of a secret one that is set, empty where it is absent."`
	Source string `json:"source" doc:"A flag, a variable, a file or default."`
	Secret bool   `json:"secret"`
}

// systemReportOf returns a report as answers show it.
func systemReportOf(r system.Report) systemReport {
	b := systemReport{
		Build: buildBody{r.Version, r.Go, r.Platform}, Time: core.Timestamp(r.At), StartedAt: core.Timestamp(r.Node.StartedAt), Node: nodeState{r.Node.ID, r.State},
	}
	if r.Clock != nil {
		b.Clock = &clockOffset{r.Clock.Offset.Seconds(), r.Clock.Waits}
	}
	if r.Database == nil {
		return b
	}
	if r.Leads {
		b.Slots = &systemSlots{r.Load.SlotsUsed, r.Load.Slots}
		b.Queue = &systemQueue{r.Load.Queued, r.Load.Woken, r.Load.Runs, r.Load.Steps}
	}
	b.Store = &storeBody{r.Database.Kind, r.Database.Schema, r.Database.SizeBytes}
	if r.Database.Leader != "" {
		b.Leader = &leaderBody{r.Database.Leader, core.Timestamp(r.Database.LeaseExpires)}
	}
	b.Nodes = elements.Map(r.Database.Nodes, func(n system.Node) nodeBody {
		return nodeBody{n.ID, n.Host, n.Version, n.ID == r.Database.Leader, n.ID == r.Node.ID, core.Timestamp(n.StartedAt), core.Timestamp(n.SeenAt)}
	})
	b.Settings = elements.Map(r.Settings, func(s system.Setting) settingOfServer { return settingOfServer(s) })
	return b
}

// getSystem returns how the server is.
func (h *observers) getSystem(c *core.Call) error {
	r, err := h.System.Report(c.Ctx(), c.Principal.TenantSlug == access.DefaultTenant)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, systemReportOf(r))
}

// systemRoutes returns the route for those who operate the server.
func (h *observers) systemRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/v1/system", ID: "getSystem", Tag: "access",
			Summary: "How the server is: nodes, leader, database, slots, settings and clock; whole for admins of the tenant default",
			Action:  access.Admin, On: core.OnTenant, Answers: core.OK(systemReport{}),
		}.Handle(core.NoBody(h.getSystem)),
	}
}
