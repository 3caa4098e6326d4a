package bulk

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/bulk"
	"heddle/definitions/workflows"
	"heddle/executor/machine"
	"heddle/internal/elements"
)

// bulkRequest is what all changes of many objects take.
type bulkRequest struct {
	core.Because
	Expected *int `json:"expected,omitempty" doc:"How many objects the caller thinks that match; where it is wrong by more than a tenth, nothing is done (409 count_changed)."`
	DryRun   bool `json:"dry_run,omitempty" doc:"Write nothing; answer what the job would be about."`
}

// changeRuns is a change of many runs.
type changeRuns struct {
	bulkRequest
	Action  bulk.Action          `json:"action" enum:"cancel,resume,restart,redrive,pause,terminate,delete"`
	Filter  runFilter            `json:"filter,omitempty"`
	RunIDs  []string             `json:"run_ids,omitempty" doc:"In the place of a filter: at most 1,000 runs."`
	Version workflows.VersionRef `json:"version,omitempty" doc:"Of resume: the version on which each run goes on; its own without it."`
	StepID  string               `json:"step_id,omitempty" doc:"Of redrive: the loop whose failed iterations run again."`
}

// changeSchedules is a change of many schedules.
type changeSchedules struct {
	bulkRequest
	Action      bulk.Action    `json:"action" enum:"pause,resume"`
	Filter      scheduleFilter `json:"filter,omitempty"`
	ScheduleIDs []string       `json:"schedule_ids,omitempty" doc:"In the place of a filter: at most 1,000 schedules."`
}

// changeWorkflows is a change of many workflows.
type changeWorkflows struct {
	bulkRequest
	Action      bulk.Action      `json:"action" enum:"status,tags"`
	Filter      workflowFilter   `json:"filter,omitempty"`
	WorkflowIDs []string         `json:"workflow_ids,omitempty" doc:"In the place of a filter: at most 1,000 workflows, by id or slug."`
	Status      workflows.Status `json:"status,omitempty" enum:"draft,active,paused,archived" doc:"Of status: the one to set."`
	AddTags     []string         `json:"add_tags,omitempty" doc:"Of tags: those to add."`
	RemoveTags  []string         `json:"remove_tags,omitempty" doc:"Of tags: those to take away."`
}

// skippedObjects counts objects that match and that the action does not apply to.
type skippedObjects struct {
	Reason string `json:"reason" doc:"The code with which a request about one of them would be refused."`
	Count  int    `json:"count"`
}

// bulkCounts are how many objects a change is about.
type bulkCounts struct {
	Matched int              `json:"matched" doc:"Objects of the selection in workflows on which the caller may do this."`
	Allowed int              `json:"allowed" doc:"Those of them that the action applies to now: what the job is about."`
	Skipped []skippedObjects `json:"skipped" doc:"The others, by reason."`
}

// countsOf returns the counts of a preview.
func countsOf(p bulk.Preview) bulkCounts {
	skipped := elements.Map(p.Skipped, func(s bulk.Skip) skippedObjects { return skippedObjects(s) })
	return bulkCounts{p.Matched, p.Allowed, append([]skippedObjects{}, skipped...)}
}

// bulkPreview is what a job would be about.
type bulkPreview struct {
	bulkCounts
	Sample []matchedObject `json:"sample" doc:"The first of those allowed, ten at most."`
}

// matchedObject is an object that a change is about.
type matchedObject struct {
	ID           string  `json:"id"`
	WorkflowID   string  `json:"workflow_id"`
	WorkflowSlug *string `json:"workflow_slug" doc:"Null of schedules."`
	Status       string  `json:"status"`
}

// previewOf returns a preview in the words of the dialect.
func previewOf(k bulk.Kind, p bulk.Preview) bulkPreview {
	b := bulkPreview{bulkCounts: countsOf(p), Sample: make([]matchedObject, len(p.Sample))}
	for i, m := range p.Sample {
		b.Sample[i] = matchedObject{m.ID, m.WorkflowID, core.TextOrNull(m.Slug), m.State}
		if k == bulk.Runs {
			b.Sample[i].Status = core.WordsOf(machine.State(m.State)).Workflows
		}
	}
	return b
}

// acceptedJob answers a change that was accepted.
type acceptedJob struct {
	JobID string `json:"job_id"`
	bulkCounts
}

// jobProgress counts the objects of a job.
type jobProgress struct {
	Total   int `json:"total"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped" doc:"The action did not apply any more when their turn came."`
}

// jobSettings are what the action of a job takes.
type jobSettings struct {
	Version    string           `json:"version,omitempty"`
	StepID     string           `json:"step_id,omitempty"`
	Status     workflows.Status `json:"status,omitempty" enum:"draft,active,paused,archived"`
	AddTags    []string         `json:"add_tags,omitempty"`
	RemoveTags []string         `json:"remove_tags,omitempty"`
}

// jobStop says why a job was stopped.
type jobStop struct {
	Code    string          `json:"code" enum:"requested,access_ended" doc:"access_ended: the key or user that asked for the job was revoked, disabled or has expired."`
	Message string          `json:"message"`
	By      *core.ActorBody `json:"by"`
}

// jobBody is a job.
type jobBody struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind" enum:"runs,schedules,workflows"`
	Action    string          `json:"action" enum:"cancel,resume,restart,redrive,pause,terminate,delete,status,tags"`
	Settings  jobSettings     `json:"settings"`
	Selection json.RawMessage `json:"selection" kind:"object" doc:"filter as it was given, or how many ids were."`
	Status    string          `json:"status" enum:"running,completed,stopped"`
	Stop      *jobStop        `json:"stop" doc:"Of a stopped job: why."`
	By        *core.ActorBody `json:"created_by"`
	Reason    *string         `json:"reason"`
	Matched   int             `json:"matched" doc:"Objects that the request selected."`
	Progress  jobProgress     `json:"progress"`
	CreatedAt core.Timestamp  `json:"created_at"`
	UpdatedAt core.Timestamp  `json:"updated_at"`
	EndedAt   *core.Timestamp `json:"ended_at"`
}

// bodyOf returns a job as it shows itself.
func bodyOf(j bulk.Job) jobBody {
	b := jobBody{
		ID: j.ID, Kind: string(j.Kind), Action: string(j.Action), Settings: jobSettings(j.Settings), Selection: j.Selection, Status: string(j.State),
		By: core.ActorOf(j.By), Reason: core.TextOrNull(j.Reason), Matched: j.Matched,
		Progress:  jobProgress{j.Total, j.Done, j.Failed, j.Skipped},
		CreatedAt: core.Timestamp(j.CreatedAt), UpdatedAt: core.Timestamp(j.UpdatedAt), EndedAt: core.TimestampOrNil(j.EndedAt),
	}
	if j.State == bulk.Stopped {
		b.Stop = &jobStop{j.Stop.Code, j.Stop.Message, core.ActorOf(j.Stop.By)}
	}
	return b
}

// jobAnswer is one job.
type jobAnswer struct {
	Job jobBody `json:"job"`
}

// jobList is a page of jobs.
type jobList struct {
	Jobs       []jobBody `json:"jobs"`
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page."`
}

// jobFailure is an object for which a job did nothing.
type jobFailure struct {
	ObjectID   string `json:"object_id"`
	WorkflowID string `json:"workflow_id"`
	Status     string `json:"status" enum:"failed,skipped"`
	Code       string `json:"code" doc:"The code with which a request about the object would have been refused."`
	Message    string `json:"message"`
}

// failureOf returns an item without its effect.
func failureOf(i bulk.Item) jobFailure {
	status := "failed"
	if i.State == bulk.ItemSkipped {
		status = "skipped"
	}
	return jobFailure{i.ObjectID, i.WorkflowID, status, i.Code, i.Message}
}

// failureList is a page of objects for which a job did nothing.
type failureList struct {
	Failures   []jobFailure `json:"failures"`
	NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
}
