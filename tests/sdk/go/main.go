// SPDX-License-Identifier: Apache-2.0

// Each feature of the Go client once: a line of JSON a step, see ../steps.py. Or what else SDK_MODE says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/milvus-io/milvus/client/v2/milvusclient"
	"github.com/milvus-io/milvus/pkg/v2/util/merr"
)

const stepLimit = 60 * time.Second // New waits as long as its context lets it

type step struct {
	name string
	run  func(*program, context.Context) (any, error)
}

type line struct {
	Step   string  `json:"step"`
	OK     bool    `json:"ok"`
	Result any     `json:"result"`
	Error  *string `json:"error"`
}

func errorText(err error) string {
	return fmt.Sprintf("%d: %v", merr.Code(err), err)
}

func show(told any) {
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		panic(err)
	}
}

func tell(name string, result any, err error) {
	told := line{Step: name, OK: err == nil, Result: result}
	if err != nil {
		text := errorText(err)
		told.Result, told.Error = nil, &text
	}
	show(told)
}

func config(database string) *milvusclient.ClientConfig {
	return &milvusclient.ClientConfig{
		Address:  os.Getenv("SDK_URI"),
		Username: os.Getenv("SDK_USER"),
		Password: os.Getenv("SDK_PASSWORD"),
		DBName:   database,
	}
}

// own keeps the names that this run made.
func own(names []string) []string {
	found := []string{}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			found = append(found, name)
		}
	}
	sort.Strings(found)
	return found
}

// attempt makes an error of a panic of the SDK.
func attempt(p *program, s step) (result any, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return s.run(p, ctx)
}

// connected is a client of the default database.
func connected() *milvusclient.Client {
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	client, err := milvusclient.New(ctx, config(""))
	if err != nil {
		panic(err)
	}
	return client
}

func takeSteps() {
	p := &program{}
	for _, s := range steps {
		result, err := attempt(p, s)
		tell(s.name, result, err)
	}
}

func main() {
	switch os.Getenv("SDK_MODE") {
	case "insert":
		insertAsTold()
	case "load":
		putLoad()
	default:
		takeSteps()
	}
}
