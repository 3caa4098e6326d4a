package advice

import "strings"

// inConfig begins the advice on a field that stands one level too high.
const inConfig = "it belongs into the step's config: "

// foreignFields returns the words of fields by place: definition, step,
// compensate, probe, retry, concurrency, case, signal; step:<type> for fields
// of a config that stand beside it; config:<type> for a config, and
// config:<type>:<member> inside of it. A place with one colon falls back on
// what is before it; one with two falls back on nothing.
//
// A word may stand in several entries of a table. The first that fits is
// used, and an entry with a Suggest fits only where the object does not have
// that field yet: so the same word can be a wrong name in one object and too
// much in another.
func foreignFields() map[string][]Replacement {
	return map[string][]Replacement{
		"definition":                    definitionWords(),
		"step":                          stepWords(),
		"step:http_request":             moved("url uri method headers header query body form raw multipart auth tls expect_status follow_redirects response"),
		"step:webhook":                  moved("url event payload headers secret"),
		"step:script":                   moved("script language args env stdin"),
		"step:agent_task":               moved("agent_id goal context max_tokens budget_micro_usd max_turns max_total_tokens"),
		"step:condition":                moved("expression then else cases"),
		"step:loop":                     moved("items while as concurrency max_iterations steps collect tolerate_failures"),
		"step:wait":                     moved("seconds until condition poll_seconds probe signal on_timeout"),
		"compensate":                    compensateWords(),
		"probe":                         probeWords(),
		"retry":                         retryWords(),
		"concurrency":                   concurrencyWords(),
		"case":                          caseWords(),
		"signal":                        signalWords(),
		"config":                        configWords(),
		"config:http_request":           httpWords(),
		"config:http_request:auth":      authWords(),
		"config:http_request:multipart": multipartWords(),
		"config:webhook":                webhookWords(),
		"config:script":                 scriptWords(),
		"config:agent_task":             agentWords(),
		"config:condition":              conditionWords(),
		"config:loop":                   loopWords(),
		"config:wait":                   waitWords(),
	}
}

// moved returns the advice on fields of a config that were written beside it.
// Each explains the absence of the config and of the field in it.
func moved(names string) []Replacement {
	var all []Replacement
	for name := range strings.FieldsSeq(names) {
		to := name
		switch name {
		case "uri":
			to = "url"
		case "header":
			to = "headers"
		}
		all = append(all, Replacement{words: name, Suggest: "config." + to, stands: "config config." + to, Write: inConfig + "config: {" + to + ": …}"})
	}
	return all
}

// definitionWords are fields at the top of other products' files, and those
// of Heddle that stand elsewhere: in a step, in a schedule or in the request
// around the definition.
func definitionWords() []Replacement {
	return []Replacement{
		// What starts a run: none of it is part of a definition.
		{words: "schedule schedules cron crontab schedule_interval interval timetable", Write: "a schedule is not part of the definition: remove it, and set one with POST /api/workflows/{workflow}/schedules"},
		{words: "triggers trigger on webhook webhooks events event start_on starter", Write: "a definition does not say what starts it: remove it; runs are started over the API, by a schedule (POST /api/workflows/{workflow}/schedules) or by a trigger of the workflow"},
		{words: "env environment envs env_vars environment_variables", Write: "there is no environment of a whole workflow: give env in the config of each script, and secrets as {{ secrets.NAME }}"},
		{words: "version revision schemaVersion specVersion spec_version dsl definition_version api_version apiVersion", Write: "remove it: the server numbers the versions of a workflow itself"},
		// The steps and what connects them.
		{words: "tasks jobs nodes stages states actions activities operations blocks stepList workflow_steps task pipeline flow do modules job_list", Suggest: "steps", Write: "write steps: a list of {id, type, config, depends_on}"},
		{words: "step", Suggest: "steps"},
		{words: "connections edges links transitions wires arrows", Write: "remove it: a step names the steps before it in its own depends_on"},
		// What goes in and out, and what people call the workflow.
		{words: "inputs params parameters arguments args input_schema inputSchema variables vars payload request", Suggest: "input", Write: "write input: a JSON Schema, such as {type: object, properties: {customer: {type: string}}}; expressions read input.customer"},
		{words: "outputs output_schema result results returns return response", Suggest: "output", Write: "write output: any JSON with {{ }}, such as \"{{ steps.last.output }}\""},
		{words: "title label display_name workflow_name workflowName workflow", Suggest: "name"},
		{words: "desc summary comment notes doc docs documentation readme about", Suggest: "description"},
		// Twice: as its name where it has none, and else as too much.
		{words: "id key slug workflow_id workflowId ref identifier", Suggest: "name", Write: "write name: {value}; the id is given by the server, and a slug stands beside the definition in the request"},
		{words: "id key slug workflow_id workflowId namespace", Write: "remove it: the id is given by the server, and a slug stands beside the definition in the request"},
		// What the server keeps beside the definition, or does not keep.
		{words: "kind type", Write: "remove it: a definition has no type; its steps have"},
		{words: "metadata meta annotations labels tags owner author owners ui position settings config options staticData pinData", Write: "remove it: name and description describe a definition, and tags stand beside it in the request"},
		{words: "status enabled active disabled state paused", Write: "remove it: a workflow's status (draft, active, paused, archived) stands beside the definition in the request"},
		// Limits of a run, and what others set once for all steps.
		{words: "timeout time_limit max_duration maxDuration execution_timeout dagrun_timeout deadline timeout_sec timeout_secs activeDeadlineSeconds run_timeout", Suggest: "timeout_seconds", Write: "write timeout_seconds: {seconds}, the seconds that a whole run may take"},
		{words: "timeout-minutes timeout_in_minutes", Suggest: "timeout_seconds", Write: "write timeout_seconds: {minutes}, the seconds that a whole run may take"},
		{words: "retry retries retry_policy default_retry max_attempts", Write: "retry belongs to a step: retry: {max_attempts: 3, delay_seconds: 5}"},
		{words: "defaults default default_args defaultArgs globals", Write: "there are no defaults for all steps: write the fields into each step"},
		{words: "max_active_runs maxActiveRuns max_concurrency maxConcurrency max_concurrent max_concurrent_runs concurrent parallelism max_parallel concurrency_limit", Suggest: "concurrency", Write: "write concurrency: {limit: {value}}"},
		// How a run ends. The last of these is for a definition that has the
		// handler already.
		{words: "on_failure on_error onError onFailure error_handler errorHandler catch handlers handlerOn onExit exit_handler", Suggest: "on_failure", Write: "write on_failure: a list of steps that run when the run has failed"},
		{words: "finally cleanup always post teardown after", Suggest: "finally", Write: "write finally: a list of steps that run in any case before the run ends"},
		{words: "on_failure on_error onError onFailure error_handler errorHandler catch handlers handlerOn finally onExit", Write: "failures are handled by the steps: on_error: continue, on_error: fallback with fallback_step, or compensate"},
		{words: "on_success onSuccess then success", Write: "write a step of finally with if: run.state == 'completed', or steps that depend on the last ones"},
		// Fields of the request around the definition, and objects of their
		// own.
		{words: "trigger_type triggerType change_summary changeSummary", Write: "it stands beside the definition in the request: remove it here"},
		{words: "timezone time_zone tz", Write: "a zone belongs to a schedule: POST /api/workflows/{workflow}/schedules takes timezone"},
		{words: "agents", Write: "agents are set up apart (PUT /v1/agents/{name}): a step of type agent_task names one"},
		{words: "secrets credentials", Write: "secrets are stored apart (PUT /v1/secrets/{name}): read them in a config as {{ secrets.NAME }}"},
		{words: "notifications notify alerts alert email_on_failure", Write: "add a step of type webhook that tells it"},
		{words: "queue pool runs-on runner worker image container", Write: "remove it: where a step runs is not said for a whole definition"},
		{words: "definition", Write: "this is the definition itself: move what stands below definition one level up", stands: "name steps"},
		// Notions that a graph of dependencies does without.
		{words: "startAt StartAt start entrypoint entry initial first", Write: "remove it: steps without depends_on start at once"},
		{words: "functions", Write: "there are no functions to declare: a call is a step of type http_request"},
		{words: "include includes import imports templates template extends", Write: "definitions do not include each other: write the steps out"},
	}
}

// stepWords are fields of a step, of any type. Those of a config that others
// write into the step are under step:<type> where its type is known, and here
// where it is not.
func stepWords() []Replacement {
	return []Replacement{
		// What a step waits for. Some products write the edge at its other
		// end (next).
		{words: "needs", of: "GitHub Actions", Suggest: "depends_on", Write: "write depends_on: {list}"},
		{words: "depends", of: "Dagu and Argo", Suggest: "depends_on", Write: "write depends_on: {list}"},
		{words: "start_after startAfter", Suggest: "depends_on", Write: "write depends_on: {list}"},
		{words: "idempotency_key idempotencyKey", Write: "remove it: each attempt of a step sends the same Idempotency-Key of its own"},
		{words: "queues worker_queue task_queue taskQueue", Write: "remove it: the steps of a workflow run on the server"},
		{words: "runAfter", of: "Tekton and Logic Apps", Suggest: "depends_on", Write: "write depends_on: {list}"},
		{words: "after dependencies dependency upstream upstreams requires require required_steps parents parent prerequisites predecessors predecessor previous prev wait_for waitFor waitsFor afterSteps after_step upstream_tasks upstream_task_ids depend dependsUpon dependson dependent_on preceded_by from inputs_from", Suggest: "depends_on", Write: "write depends_on: {list}"},
		{words: "next nextStep next_step goto transition transitions to downstream downstreams followed_by children successors successor on_success onSuccess onComplete on_complete outgoing target targets edges connections before triggers precedes next_steps", Write: "steps name what they wait for, not what follows: write depends_on: [{id}] in the step '{value}'"},
		{words: "end End is_end terminal final", Write: "remove it: a run ends when all of its steps have"},
		// Retries. Most products count them without the first attempt,
		// max_attempts with it.
		{words: "retries max_retries maxRetries retry_count retryCount retry_limit retryLimit num_retries numRetries maxRetryAttempts", Suggest: "retry", Write: "write retry: {max_attempts: {more}}; the first attempt counts too"},
		{words: "attempts max_attempts maxAttempts tries max_tries", Suggest: "retry", Write: "write retry: {max_attempts: {value}}; the first attempt counts too"},
		{words: "retry_policy retryPolicy retryStrategy retry_strategy retry_on retry_config retryConfig backoff backoff_policy", Suggest: "retry", Write: "write retry: {max_attempts: 3, delay_seconds: 5, backoff: exponential}"},
		{words: "retry_delay retryDelay retry_delay_seconds retryDelaySeconds retry_interval retryInterval retry_wait delay_seconds retry_backoff waitBetweenTries", Suggest: "retry.delay_seconds", Write: "write retry: {delay_seconds: {seconds}}"},
		// Time-outs, by the unit that the name says.
		{words: "timeout timeout_sec timeout_secs timeoutSec time_limit execution_timeout executionTimeout deadline max_duration maxDuration startToCloseTimeout activeDeadlineSeconds max_time ttl timeoutInSeconds job_timeout", Suggest: "timeout_seconds", Write: "write timeout_seconds: {seconds}"},
		{words: "timeout-minutes timeoutMinutes timeout_in_minutes timeoutInMinutes", Suggest: "timeout_seconds", Write: "write timeout_seconds: {minutes}"},
		{words: "timeout_ms timeoutMs timeout_millis timeoutMillis", Suggest: "timeout_seconds", Write: "write timeout_seconds, in seconds"},
		// Conditions under which a step runs.
		{words: "when", of: "Ansible, Argo and CircleCI", Suggest: "if", Write: "write if: an expression that is true or false, such as \"input.ok\"; false means skipped"},
		{words: "condition conditions run_if runIf only_if onlyIf execute_if executeIf precondition preconditions guard rules rule only where predicate filter switch_if start_if enabled_if requires_condition", Suggest: "if", Write: "write if: an expression that is true or false, such as \"input.ok\"; false means skipped"},
		{words: "unless skip_if skipIf skip_when skip except not_if", Suggest: "if", Write: "write if with the opposite: if: \"not (…)\"; false means skipped"},
		// What a failure means, and what is undone.
		{words: "continue-on-error", of: "GitHub Actions", Suggest: "on_error", Write: "write on_error: continue"},
		{words: "continueOn continue_on_failure continueOnFail continueOnFailure ignore_errors ignoreErrors ignore_error ignore_failure ignoreFailure allow_failure allowFailure allow_failures catch except rescue on_failure onFailure error_handler errorHandler onErrors on_fail onFail failure_policy failurePolicy error_policy optional tolerate_failure soft_fail fail_fast failFast required critical", Suggest: "on_error", Write: "write on_error: continue to go on after a failure, or on_error: fallback with fallback_step to run another step instead"},
		{words: "fallback fallback_to fallbackTo on_error_step onErrorStep alternative else_step fallback_id fallback_steps", Suggest: "fallback_step", Write: "write on_error: fallback and fallback_step: {value}"},
		{words: "rollback undo compensation compensate_with compensateWith compensatedBy compensation_step on_cancel onCancel on_rollback revert", Suggest: "compensate", Write: "write compensate: {type: …, config: {…}}"},
		// What a step does, where its name stands for the type: script,
		// container or action.
		{words: "uses", of: "GitHub Actions", Write: "there are no actions to use: write type: script with the commands (config: {script: …}), or type: http_request (config: {url: …})", stands: "type config config.script config.url"},
		{words: "run", of: "GitHub Actions", Suggest: "config.script", Write: "write type: script and config: {script: …}", stands: "type config config.script"},
		{words: "command commands cmd bash shell sh exec execute entrypoint script code inline bash_command python python_callable bashCommand source program function_body lambda", Suggest: "config.script", Write: "write type: script and config: {script: …}; for Python also language: python", stands: "type config config.script"},
		{words: "image container docker docker_image containerImage executor", Write: "there are no containers: write type: script and config: {script: …}; it runs on the server's machine", stands: "type config config.script"},
		{words: "language lang interpreter runtime", Suggest: "config.language", Write: inConfig + "config: {language: shell, script: …}", stands: "config.language"},
		{words: "action task task_type taskType step_type stepType plugin provider operator activity module tool kind call node_type class component handler resource", Suggest: "type", Write: "write type: agent_task, condition, http_request, loop, script, wait or webhook"},
		// Its id and name.
		{words: "key ref step_id stepId taskReferenceName task_id taskId identifier uid uuid node_id slug step alias", Suggest: "id"},
		{words: "task activity node job", Suggest: "id"},
		{words: "title display_name displayName label step_name stepName task_name taskName node_name nodeName job_name jobName", Suggest: "id", Write: "write id: {slug}; what people call the step may stand beside it as name"},
		{words: "title display_name displayName label step_name stepName task_name taskName node_name nodeName job_name jobName description desc summary", Suggest: "name", Write: "write name: what people call the step"},
		{words: "comment comments notes note doc documentation description desc summary", Write: "remove it, or put it into name"},
		// Config, output and the switch that turns it off.
		{words: "params parameters properties options settings with arguments values spec inputParameters input_parameters inputs input cfg configuration conf props body_params kwargs definition", Suggest: "config", Write: "write config: what the step does; its fields depend on type", stands: "config"},
		{words: "disabled disable inactive active off is_disabled", Suggest: "enabled", Write: "write enabled: false to switch a step off"},
		{words: "output outputs result results returns export exports set register save_as saveAs capture store_as storeAs outputPath ResultPath result_key resultKey assign output_key outputKey output_variable outputVariable publish produces response_var", Write: "remove it: what the step gives is read as steps.{id}.output by the steps after it"},
		{words: "output_type outputType response_schema responseSchema result_schema schema returns_schema", Suggest: "output_schema", Write: "write output_schema: a JSON Schema of the step's output"},
		// Loops, branches and parallel parts, which are step types here or
		// need nothing.
		{words: "for_each forEach foreach with_items withItems withParam with_param withSequence for each map iterator iterate repeat matrix strategy loop loop_over loopOver dynamic parallel_for until do_while expand batch", Write: "a step runs once: write a step of type loop, config: {items: \"input.list\", steps: [this step]}"},
		{words: "items", Suggest: "config.items", Write: "write type: loop and config: {items: an expression, steps: [the body]}", stands: "config config.items type"},
		{words: "while", Suggest: "config.while", Write: "write type: loop and config: {while: an expression, steps: [the body]}", stands: "config config.while type"},
		{words: "steps tasks do actions nodes body_steps substeps sub_steps", Suggest: "config.steps", Write: "only a loop has steps of its own: write type: loop and config: {items: an expression, steps: [the body]}", stands: "type config config.steps"},
		{words: "parallel branches fork join concurrent async parallelism", Write: "remove it: steps without a path between them run in parallel; depends_on joins them"},
		{words: "choices cases switch then else otherwise branch", Write: "write a step of type condition, config: {expression: …, then: [ids], else: [ids]}", stands: "type config"},
		{words: "expression expr", Write: "write a step of type condition with config: {expression: …}, or if on the step that it decides about", stands: "type config config.expression"},
		// Fields of a config in a step without a type: they show the type as
		// well.
		{words: "url uri endpoint link address href", Suggest: "config.url", Write: "write type: http_request and config: {url: …}", stands: "type config config.url"},
		{words: "method headers body query http request auth verb", Write: "write type: http_request; it belongs into its config: {url: …, method: …, headers: …, body: …}", stands: "type config"},
		{words: "event payload webhook", Write: "write type: webhook and config: {url: …, event: …, payload: …}", stands: "type config config.event"},
		{words: "goal agent_id prompt messages instructions system system_prompt llm model agent tools temperature ai", Write: "write type: agent_task and config: {agent_id: …, goal: …}", stands: "type config config.goal config.agent_id"},
		{words: "seconds until signal duration sleep wait delay pause wait_seconds wait_for_signal approval approvers assignees", Write: "write type: wait and config: {seconds: 60}, or config: {signal: {name: approved}} for a person's answer", stands: "type config"},
		{words: "env environment env_vars vars variables envs", Suggest: "config.env", Write: "it belongs into the config of a script: config: {env: {NAME: value}}", stands: "config.env"},
		{words: "args argv", Suggest: "config.args", Write: "it belongs into the config of a script: config: {args: […]}", stands: "config.args"},
		// What belongs to the workflow, to the server or to nothing.
		{words: "secrets credentials secret credential", Write: "remove it: a config reads a secret as {{ secrets.NAME }}"},
		{words: "schedule cron trigger on interval", Write: "a step has no schedule of its own: a workflow has (POST /api/workflows/{workflow}/schedules)"},
		{words: "concurrency max_concurrency", Write: "concurrency belongs to the definition (runs at once), or into the config of a loop (iterations at once)"},
		{words: "runs-on runner pool worker node_selector nodeSelector executor_pool task_queue taskQueue", Suggest: "queue"},
		{words: "runs-on runner pool worker node_selector nodeSelector task_queue taskQueue queue priority weight resources cpu memory cache artifacts services volumes permissions tags labels metadata position ui type_version typeVersion x y color icon", Write: "remove it: Heddle has nothing like it"},
		{words: "cwd working-directory workingDir workdir", Write: "remove it, and begin the script with cd"},
		{words: "trigger_rule triggerRule run_when join join_mode wait_mode runs_after_failure", Write: "a step starts when all that it depends on is finished, also where that failed with on_error: continue; if decides further"},
		{words: "workflow subworkflow sub_workflow child_workflow flow", Write: "workflows do not contain each other: start a run of the other one with type: http_request, POST /api/workflows/{workflow}/run", stands: "type config"},
		{words: "idempotent idempotency on_crash onCrash on_restart", Suggest: "on_interrupt"},
	}
}

// compensateWords are fields of a compensation, which has a type, a config
// and a time-out and nothing else of a step.
func compensateWords() []Replacement {
	return []Replacement{
		{words: "step step_id id run_step", Write: "write type and config of what undoes the step: {type: …, config: {…}}", stands: "type"},
		{words: "action kind uses", Suggest: "type"},
		{words: "params with parameters inputs input settings", Suggest: "config"},
		{words: "timeout", Suggest: "timeout_seconds", Write: "write timeout_seconds: {seconds}"},
		{words: "run script command commands cmd shell bash code", Write: "write type: script and config: {script: …}", stands: "type config"},
		{words: "url method body headers", Write: inConfig + "{type: http_request, config: {url: …}}", stands: "type config"},
		{words: "retry on_error if depends_on", Write: "remove it: a compensation has type, config and timeout_seconds"},
	}
}

// probeWords are fields of a wait's probe, in which the request's fields or
// the wait's are often written.
func probeWords() []Replacement {
	return []Replacement{
		{words: "action kind uses step", Suggest: "type"},
		{words: "params with parameters inputs input settings request http", Suggest: "config"},
		{words: "url uri endpoint method body headers query auth", Write: "it belongs into the probe's config: {type: http_request, config: {url: …}}", stands: "type config"},
		{words: "poll_seconds interval every timeout timeout_seconds condition", Write: "it stands beside probe, in the config of the wait"},
	}
}

// multipartWords are fields of a part of a multipart body.
func multipartWords() []Replacement {
	return []Replacement{
		{words: "field key id field_name fieldName", Suggest: "name"},
		{words: "content data body text contents file", Suggest: "value"},
		{words: "file_name fileName", Suggest: "filename"},
		{words: "type mime mime_type mimeType contentType", Suggest: "content_type"},
	}
}

// retryWords are fields of retry. The entry that says that nothing is needed is
// for a retry that has on already.
func retryWords() []Replacement {
	return []Replacement{
		{words: "attempts limit count max maximum times tries maxAttempt max_tries total number n maximumAttempts maximum_attempts stop_after_attempt attempt attempts_max repeat", Suggest: "max_attempts", Write: "write max_attempts: {value}; the first attempt counts too"},
		{words: "max_retries maxRetries retries retry_count retryCount maximum_retries num_retries retry_limit", Suggest: "max_attempts", Write: "write max_attempts: {more}; the first attempt counts too"},
		{words: "delay interval wait seconds sleep pause initial initial_interval initialInterval initial_delay initialDelay min_delay minDelay minimum_backoff interval_sec intervalSec intervalSeconds IntervalSeconds interval_seconds retry_interval retryInterval retry_delay retryDelay period base base_delay wait_seconds delay_sec delaySec backoff_seconds minTimeout backoffDelay waitBetweenTries", Suggest: "delay_seconds", Write: "write delay_seconds: {seconds}"},
		{words: "delay_ms delayMs interval_ms wait_ms delayMillis", Suggest: "delay_seconds", Write: "write delay_seconds, in seconds"},
		{words: "max_interval maxInterval maximum_interval maximumInterval max_wait maxWait cap max_backoff maxBackoff ceiling MaxDelaySeconds maximum_backoff limit_seconds maxTimeout max_delay_sec", Suggest: "max_delay_seconds", Write: "write max_delay_seconds: {seconds}"},
		{words: "multiplier factor backoff_rate backoffRate BackoffRate backoff_coefficient backoffCoefficient rate exponential exponential_backoff exponentialBackoff strategy policy type backoff_type backoffType algorithm mode kind coefficient exponent backoff_multiplier retry_policy backoff_factor", Suggest: "backoff", Write: "write backoff: fixed, linear or exponential; exponential doubles the delay"},
		{words: "retry_on retryOn if when errors ErrorEquals error_equals status_codes statusCodes status retryable_errors conditions exceptions for http_codes expression", Suggest: "on", Write: "write on: a list of what is tried again, such as [503, \"5xx\", connection_failed]"},
		{words: "not_on never ignore exclude nonRetryableErrorTypes non_retryable_errors nonRetryable", Suggest: "except", Write: "write except: a list of what is not tried again, such as [404, \"4xx\"]"},
		{words: "retry_on retryOn on if when errors ErrorEquals error_equals status_codes statusCodes retryable_errors conditions exceptions", Write: "remove it: what may pass is tried again by itself (connection errors, 408, 429, 5xx, time-outs, exit codes)"},
		{words: "timeout max_duration maxDuration deadline", Write: "timeout_seconds stands beside retry, in the step, and is that of one attempt"},
		{words: "random randomize jitter_seconds jitterStrategy JitterStrategy", Suggest: "jitter", Write: "write jitter: true"},
	}
}

// concurrencyWords are fields of the definition's concurrency, which limits
// runs, not iterations.
func concurrencyWords() []Replacement {
	return []Replacement{
		{words: "max max_runs maxRuns count max_concurrent maxConcurrent max_active_runs size runs parallelism value", Suggest: "limit"},
		{words: "group by partition partition_key expression scope", Suggest: "key"},
		{words: "cancel-in-progress", of: "GitHub Actions", Suggest: "on_limit", Write: "write on_limit: cancel_oldest"},
		{words: "strategy policy on_conflict onConflict mode overlap behavior behaviour action when_full on_full limit_strategy", Suggest: "on_limit", Write: "write on_limit: queue, reject or cancel_oldest"},
	}
}

// caseWords are fields of one case of a condition: when and then.
func caseWords() []Replacement {
	return []Replacement{
		{words: "if condition expression value case match test expr predicate is equals", Suggest: "when", Write: "write when: an expression that is true or false"},
		{words: "steps next do goto target step to branch run name output_id nextState", Suggest: "then", Write: "write then: a list of the ids of steps"},
		{words: "else default otherwise", Write: "else stands beside cases, in the config"},
	}
}

// signalWords are fields of a wait's signal: its name, what to ask, and the
// payload's schema.
func signalWords() []Replacement {
	return []Replacement{
		{words: "event id key type signal signal_name signalName channel topic", Suggest: "name"},
		{words: "message question description title text form label instructions", Suggest: "prompt"},
		{words: "payload payload_schema fields input data properties form_schema response_schema", Suggest: "schema", Write: "write schema: a JSON Schema of the payload"},
		{words: "timeout timeout_seconds on_timeout", Write: "timeout_seconds and on_timeout stand beside signal, in the config"},
		{words: "assignee assignees approvers users to groups role", Write: "remove it: whoever may operate the workflow can send the signal"},
	}
}

// configWords are fields of a step that were written into its config, of any
// type. A config's own table comes before them.
func configWords() []Replacement {
	return []Replacement{
		{words: "retries max_retries attempts retry_count retry retry_policy", Write: "it belongs to the step, beside config: retry: {max_attempts: 3, delay_seconds: 5}"},
		{words: "timeout timeout_sec timeout_ms timeoutMs timeout_seconds read_timeout connect_timeout", Write: "it belongs to the step, beside config: timeout_seconds: {seconds}"},
		{words: "depends_on needs after dependencies", Write: "it belongs to the step, beside config: depends_on: {list}"},
		{words: "if when run_if", Write: "it belongs to the step, beside config: if: an expression"},
		{words: "on_error continue_on_error ignore_errors on_failure ignore_errors fallback_step", Write: "it belongs to the step, beside config: on_error: continue"},
		{words: "id type enabled compensate output_schema on_interrupt", Write: "it belongs to the step, beside config"},
		{words: "config", Write: "what stands below it belongs one level up, directly into config"},
	}
}

// httpWords are fields of an http_request's config.
func httpWords() []Replacement {
	return []Replacement{
		// The body, and what is appended to the URL.
		{words: "json data payload content json_body body_json requestBody request_body postData post_data body_params bodyParameters jsonBody bodyContent", Suggest: "body", Write: "write body: any JSON; it is sent as application/json"},
		{words: "params query_params queryParams query_parameters queryParameters query_string querystring qs search search_params searchParams url_params parameters args", Suggest: "query", Write: "write query: {name: value}"},
		{words: "uri endpoint link address href host base_url baseUrl path target requestUrl server", Suggest: "url"},
		{words: "verb http_method httpMethod request_method requestMethod operation", Suggest: "method"},
		{words: "header request_headers requestHeaders http_headers httpHeaders headerParameters", Suggest: "headers"},
		// Credentials, which are one field with a type; TLS.
		{words: "authentication authorization credentials credential security basic_auth basicAuth", Suggest: "auth", Write: "write auth: {type: bearer, token: \"{{ secrets.NAME }}\"}, or {type: basic, username, password}, or {type: header, name, value}"},
		{words: "token bearer bearer_token bearerToken access_token jwt oauth", Suggest: "auth", Write: "write auth: {type: bearer, token: \"{{ secrets.NAME }}\"}"},
		{words: "api_key apiKey apikey key", Suggest: "auth", Write: "write auth: {type: header, name: X-Api-Key, value: \"{{ secrets.NAME }}\"}"},
		{words: "username user password pass login", Suggest: "auth", Write: "write auth: {type: basic, username: …, password: \"{{ secrets.NAME }}\"}"},
		{words: "verify verify_ssl ssl_verify verifySsl insecure rejectUnauthorized ignore_ssl validate_certs ssl allowUnauthorizedCerts cert certificate ca", Suggest: "tls", Write: "write tls for a private authority or a client certificate; certificates are always checked"},
		// What counts as success, and what becomes of the response.
		{words: "expected_status expectedStatus success_codes successCodes valid_status valid_status_codes ok_codes status_codes statusCodes status_code statusCode status codes accept_status success_status expected_codes", Suggest: "expect_status", Write: "write expect_status: 200, \"200-204\" or a list of both"},
		{words: "redirect redirects allow_redirects allowRedirects followRedirect max_redirects maxRedirects", Suggest: "follow_redirects", Write: "write follow_redirects: true or false"},
		{words: "response_type responseType response_format responseFormat parse_json parse output format json_response return_type", Suggest: "response", Write: "write response: auto, json or text"},
		{words: "files file formData form_data multipart_form", Suggest: "multipart", Write: "write multipart: a list of parts, or form: {name: value} for a form"},
		{words: "urlencoded form_urlencoded formUrlEncoded", Suggest: "form", Write: "write form: {name: value}"},
		{words: "text raw_body rawBody body_text plain binary", Suggest: "raw", Write: "write raw: text that is sent as it is"},
		// Headers that other clients have options for.
		{words: "content_type contentType accept mime_type", Write: "write it as a header: headers: {Content-Type: …}; body, form and multipart set theirs themselves"},
		{words: "cookies cookie user_agent userAgent referer", Write: "write it as a header: headers: {Cookie: …}"},
		{words: "proxy", Write: "remove it: requests go out directly"},
		{words: "protocol port", Write: "it is part of the url: https://host:port/path"},
		{words: "pagination paginate", Write: "a request reads one page: write a step of type loop with while for more"},
	}
}

// authWords are fields of an http_request's auth, by whose type the others
// go.
func authWords() []Replacement {
	return []Replacement{
		{words: "user login username_field", Suggest: "username", Write: "write type: basic, username: … and password: \"{{ secrets.NAME }}\"", stands: "type"},
		{words: "pass pwd secret", Suggest: "password", Write: "write type: basic, username: … and password: \"{{ secrets.NAME }}\"", stands: "type"},
		{words: "bearer bearer_token bearerToken access_token jwt auth_token", Suggest: "token", Write: "write type: bearer and token: \"{{ secrets.NAME }}\"", stands: "type"},
		{words: "header header_name headerName key_name", Suggest: "name"},
		{words: "api_key apiKey key header_value", Suggest: "value", Write: "write type: header, name: X-Api-Key and value: \"{{ secrets.NAME }}\"", stands: "type"},
		{words: "scheme kind method mode", Suggest: "type"},
		{words: "client_id clientId client_secret clientSecret token_url tokenUrl scope scopes audience grant_type", Write: "OAuth is not performed: fetch a token in a step before, and write type: bearer, token: \"{{ steps.login.output.body.access_token }}\""},
	}
}

// webhookWords are fields of a webhook's config. What makes a request of it
// is http_request's.
func webhookWords() []Replacement {
	return []Replacement{
		{words: "body data json message content text params request_body fields attributes", Suggest: "payload", Write: "write payload: any JSON; it is sent as data"},
		{words: "method verb http_method", Write: "remove it: a webhook is always a POST; http_request has a method"},
		{words: "event_type eventType type topic name event_name eventName subject action", Suggest: "event"},
		{words: "signing_secret signingSecret key signature_secret hmac_secret signing_key", Suggest: "secret", Write: "write secret: \"{{ secrets.NAME }}\""},
		{words: "uri endpoint link address href target webhook_url webhookUrl callback callback_url", Suggest: "url"},
		{words: "auth token authentication api_key", Write: "write it as a header: headers: {Authorization: \"Bearer {{ secrets.NAME }}\"}, or sign with secret"},
		{words: "query form raw response expect_status follow_redirects", Write: "a webhook has no such field; http_request has"},
		{words: "header", Suggest: "headers"},
	}
}

// scriptWords are fields of a script's config. There are no containers and no
// packages: what a script needs is on the machine.
func scriptWords() []Replacement {
	return []Replacement{
		{words: "command commands cmd code run source inline bash shell_command python script_content content body text program exec execute src statements scripts", Suggest: "script", Write: "write script: the program's text"},
		{words: "lang interpreter runtime shell executor runner engine kind", Suggest: "language", Write: "write language: shell (the default) or python"},
		{words: "environment envs env_vars environment_variables variables vars envVars", Suggest: "env"},
		{words: "arguments params parameters argv inputs input_args with", Suggest: "args", Write: "write args: a list, read as $1, $2 … or sys.argv; or env: {NAME: value}"},
		{words: "input std_in stdin_data data", Suggest: "stdin"},
		{words: "cwd working_directory workingDirectory workingDir workdir dir directory chdir", Write: "remove it: a script runs in a directory of its own; begin it with cd"},
		{words: "image container docker docker_image volumes", Write: "remove it: scripts run on the server's machine, there are no containers"},
		{words: "packages requirements dependencies pip npm beforeCommands install libraries", Write: "remove it: what a script needs must be installed on the server's machine"},
		{words: "file path filename script_path script_file", Write: "write script: the program's text itself; files are not read"},
		{words: "user sudo run_as", Write: "remove it: the operator decides under which user scripts run"},
		{words: "output outputs capture capture_output outputFiles", Write: "remove it: what the script prints is steps.<id>.output.stdout, and as JSON steps.<id>.output.result"},
	}
}

// agentWords are fields of an agent_task's config. What belongs to the model
// is the agent's, which an admin sets up.
func agentWords() []Replacement {
	return []Replacement{
		{words: "prompt task query question instruction instructions objective input message messages user_prompt userPrompt text request description content", Suggest: "goal", Write: "write goal: what the agent is to do"},
		{words: "agent agent_name agentName assistant assistant_id assistantId name bot", Suggest: "agent_id", Write: "write agent_id: the id of an agent that an admin has set up (PUT /v1/agents/NAME)"},
		{words: "model provider system system_prompt systemPrompt temperature top_p base_url baseUrl api_key apiKey tools functions engine llm role persona", Write: "it is set once for the agent, with PUT /v1/agents/NAME; the step names the agent in agent_id", stands: "agent_id"},
		{words: "variables inputs data params documents files memory history background context_data", Suggest: "context", Write: "write context: any JSON that the agent needs to know"},
		{words: "schema response_format responseFormat response_schema json_schema output_format format output_type structured_output", Suggest: "output_schema", Write: "write output_schema: a JSON Schema that the answer must meet"},
		{words: "max_output_tokens max_completion_tokens maxOutputTokens token_limit tokens", Suggest: "max_tokens"},
		{words: "budget max_cost maxCost cost_limit budget_usd", Suggest: "budget_micro_usd", Write: "write budget_micro_usd, in millionths of a US dollar"},
		{words: "max_steps max_iterations maxIterations max_rounds max_turn iterations", Suggest: "max_turns"},
	}
}

// conditionWords are fields of a condition's config.
func conditionWords() []Replacement {
	return []Replacement{
		{words: "condition if test when predicate expr cond check where rule rules value conditionExpression conditions", Suggest: "expression", Write: "write expression: true or false, such as \"input.amount > 100\""},
		{words: "true on_true onTrue if_true ifTrue yes success true_branch trueBranch true_steps on_success", Suggest: "then", Write: "write then: a list of the ids of steps; they depend on this one"},
		{words: "false on_false onFalse if_false ifFalse no otherwise default false_branch falseBranch else_steps on_failure defaultCase default_case Default", Suggest: "else", Write: "write else: a list of the ids of steps; they depend on this one"},
		{words: "switch choices branches options Choices decisionCases decision_cases routes outcomes", Suggest: "cases", Write: "write cases: a list of {when: expression, then: [ids]}"},
	}
}

// loopWords are fields of a loop's config: the list, the body and how it
// runs.
func loopWords() []Replacement {
	return []Replacement{
		{words: "for_each forEach foreach in list collection over array iterable range count times each values itemsPath ItemsPath with_items elements loop_over items_expression iterate_over source data input_list", Suggest: "items", Write: "write items: an expression that gives a list, or a count, such as \"input.list\""},
		{words: "do body tasks actions iterator nodes children task step sub_steps substeps loop_body workflow iteration for_steps", Suggest: "steps", Write: "write steps: the body, a list of steps as at the top"},
		{words: "item variable var loop_var loopVar item_name itemName alias element item_var iterator_variable item_variable each_as", Suggest: "as"},
		{words: "parallel parallelism max_parallel maxParallel max_concurrency maxConcurrency MaxConcurrency batch_size batchSize workers concurrent concurrency_limit concurrencyLimit", Suggest: "concurrency", Write: "write concurrency: how many iterations run at once"},
		{words: "condition loop_condition loopCondition while_condition", Suggest: "while", Write: "write while: an expression that is checked before each iteration"},
		{words: "until", Suggest: "while", Write: "write while with the opposite: while: \"not (…)\""},
		{words: "output outputs result results return yield emit aggregate accumulate map", Suggest: "collect", Write: "write collect: an expression for each iteration, such as \"steps.last.output\"; steps.<loop>.output.results has them"},
		{words: "max_loops limit max maximum_iterations max_count", Suggest: "max_iterations"},
		{words: "ignore_errors continue_on_failure allowed_failures allowedFailures max_errors maxErrors tolerated_failures ToleratedFailureCount fail_fast max_failures continue_on_error", Suggest: "tolerate_failures", Write: "write tolerate_failures: a count, or a share such as \"5%\""},
		{words: "index index_var indexVar index_name", Write: "remove it: index is visible in the body under its own name"},
		{words: "delay interval sleep", Write: "remove it, and put a step of type wait into the body"},
	}
}

// waitWords are fields of a wait's config. All durations are in seconds.
func waitWords() []Replacement {
	return []Replacement{
		{words: "duration delay sleep time amount timer wait timeout_ms wait_seconds sec secs waitSeconds delay_seconds Seconds for length", Suggest: "seconds", Write: "write seconds: {seconds}"},
		{words: "minutes", Suggest: "seconds", Write: "write seconds: {minutes}"},
		{words: "hours days ms milliseconds weeks unit", Suggest: "seconds", Write: "write seconds, in seconds"},
		{words: "date at timestamp datetime until_time untilTime deadline date_time Timestamp resume_at scheduled_at", Suggest: "until", Write: "write until: an RFC 3339 time such as 2026-01-31T09:00:00Z, or an expression that evaluates to one"},
		{words: "event for_signal wait_for waitFor webhook approval message channel signal_name signalName input form event_name approvers assignee assignees", Suggest: "signal", Write: "write signal: {name: approved}"},
		{words: "expression when while check if", Suggest: "condition", Write: "write condition: an expression that ends the wait"},
		{words: "interval poll poll_interval pollInterval every check_interval poke_interval", Suggest: "poll_seconds", Write: "write poll_seconds: {seconds}"},
		{words: "timeout max_wait maxWait expires_in", Suggest: "timeout_seconds", Write: "write timeout_seconds: {seconds}"},
		{words: "prompt question schema", Write: "it belongs into signal: {name: …, prompt: …, schema: …}"},
		{words: "request http poll_request", Suggest: "probe", Write: "write probe: {type: http_request, config: {url: …}}"},
	}
}
