package core

import (
	"heddle/definitions/source"
	"slices"
	"strings"
)

// synonyms are the names of other APIs for fields of requests, in lower case and without marks,
// and what they are called here; the first that a request has is meant. They only improve the
// message of a refusal: no synonym is accepted. Never changed.
var synonyms = map[string]string{ //nolint:gosec // names of fields
	"input":             "input_data payload arguments",
	"inputs":            "input_data payload arguments",
	"data":              "input_data payload run_input",
	"payload":           "input_data payload run_input",
	"body":              "input_data payload run_input definition",
	"params":            "params input_data parameters",
	"parameters":        "parameters input_data params",
	"variables":         "input_data params",
	"vars":              "input_data params",
	"args":              "input_data arguments params",
	"context":           "input_data",
	"inputdata":         "input_data",
	"runinput":          "run_input input_data",
	"message":           "run_input prompt payload",
	"text":              "run_input payload",
	"answer":            "payload run_input",
	"response":          "payload",
	"value":             "payload value",
	"workflow":          "definition workflow workflow_id",
	"spec":              "definition",
	"yaml":              "definition",
	"json":              "definition",
	"content":           "definition payload",
	"source":            "definition",
	"dag":               "definition",
	"flow":              "definition",
	"graph":             "definition",
	"steps":             "definition steps",
	"cron":              "cron_expression",
	"schedule":          "cron_expression",
	"expression":        "cron_expression",
	"cronexpr":          "cron_expression",
	"interval":          "cron_expression",
	"tz":                "timezone",
	"zone":              "timezone",
	"timezone":          "timezone",
	"start":             "starts_at from",
	"startat":           "starts_at",
	"startdate":         "starts_at from",
	"starttime":         "starts_at",
	"end":               "ends_at until",
	"endat":             "ends_at",
	"enddate":           "ends_at until",
	"endtime":           "ends_at",
	"overlap":           "overlap_policy",
	"concurrency":       "overlap_policy",
	"concurrencypolicy": "overlap_policy",
	"misfire":           "catch_up",
	"catchup":           "catch_up",
	"backfill":          "catch_up",
	"jitter":            "jitter_seconds",
	"label":             "tags label name",
	"labels":            "tags",
	"tag":               "tags",
	"id":                "slug id",
	"key":               "slug key",
	"identifier":        "slug",
	"title":             "name slug",
	"displayname":       "name",
	"enabled":           "status publish active",
	"state":             "status",
	"active":            "status publish",
	"trigger":           "trigger trigger_type",
	"triggertype":       "trigger_type trigger",
	"type":              "trigger_type type",
	"comment":           "change_summary reason message",
	"summary":           "change_summary summary",
	"description":       "change_summary description reason",
	"note":              "change_summary reason",
	"commitmessage":     "change_summary",
	"changelog":         "change_summary",
	"why":               "reason",
	"cause":             "reason",
	"idempotencykey":    "request_id",
	"requestid":         "request_id",
	"step":              "step_id",
	"node":              "step_id",
	"taskid":            "step_id",
	"event":             "name signal",
	"signal":            "name signal",
	"signalname":        "name",
	"url":               "base_url url",
	"endpoint":          "base_url url",
	"apikey":            "api_key_secret",
	"secret":            "value api_key_secret",
	"systemmessage":     "system_prompt",
	"instructions":      "system_prompt",
	"permissions":       "actions grants role",
	"scopes":            "actions grants role",
	"dryrun":            "dry_run",
	"mock":              "mocks",
	"limit":             "limit max",
	"max":               "limit max",
	"number":            "version version_number",
}

// suggestField returns the field of a request that was probably meant by a name that it does not
// have; "" where none is near. A misspelling comes first, then another way to write the same
// words, then a synonym: of a request with the field input_data, imput_data, inputData and
// payload are all taken for it.
func suggestField(name string, names []string) string {
	if near := source.Nearest(name, names); near != "" {
		return near
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
	for _, known := range names {
		if strings.ReplaceAll(known, "_", "") == plain {
			return known
		}
	}
	for meant := range strings.FieldsSeq(synonyms[plain]) {
		if slices.Contains(names, meant) {
			return meant
		}
	}
	return ""
}
