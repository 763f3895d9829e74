// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

const (
	workers      = 4
	keysOfWorker = 100_000
	firstRows    = 100 // their keys are below
	pause        = 20 * time.Millisecond
)

// outcome is a line of output, see ../loads.py.
type outcome struct {
	What  string `json:"what"`
	Key   int64  `json:"key"`
	Found int64  `json:"found"`
	Error string `json:"error,omitempty"`
}

// user asks once for each: who sends an insert twice would be the daemon.
type user struct {
	client     *milvusclient.Client
	collection string
}

func place(key int64) []float32 {
	x := float32(-1000)
	if key < firstRows {
		x = float32(key)
	}
	return []float32{x, x, x, x}
}

func (u *user) search(key int64) (int64, error) {
	option := milvusclient.NewSearchOption(u.collection, 1, []entity.Vector{entity.FloatVector(place(key))}).
		WithConsistencyLevel(entity.ClBounded)
	found, err := u.client.Search(context.Background(), option, grpc_retry.Disable())
	if err != nil {
		return 0, err
	}
	return found[0].IDs.GetAsInt64(0)
}

// insert a row whose key stands in that field.
func (u *user) insert(collection, field string, key int64) (int64, error) {
	option := milvusclient.NewColumnBasedInsertOption(collection).
		WithInt64Column(field, []int64{key}).
		WithFloatVectorColumn("vector", dimension, [][]float32{place(key)})
	result, err := u.client.Insert(context.Background(), option, grpc_retry.Disable())
	return result.InsertCount, err
}

func report(what string, key, found int64, err error) {
	told := outcome{What: what, Key: key, Found: found}
	if err != nil {
		told.Error = errorText(err)
		time.Sleep(pause)
	}
	show(told)
}

func (u *user) work(ending context.Context, first int64) {
	for key := first; ending.Err() == nil; key++ {
		known := key % firstRows
		found, err := u.search(known)
		report("search", known, found, err)
		count, err := u.insert(u.collection, "id", key)
		report("keyed", key, count, err)
		count, err = u.insert(u.collection+"_auto", "tag", key)
		report("auto", key, count, err)
	}
}

// putLoad goes on until SIGTERM.
func putLoad() {
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	first, err := strconv.ParseInt(os.Getenv("SDK_FIRST_KEY"), 10, 64)
	if err != nil {
		panic(err)
	}
	u := &user{connected(), os.Getenv("SDK_COLLECTION")}
	var group sync.WaitGroup
	for i := range int64(workers) {
		group.Add(1)
		go func() {
			defer group.Done()
			u.work(ending, first+i*keysOfWorker)
		}()
	}
	group.Wait()
}
