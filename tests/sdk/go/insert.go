// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"

	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

// toInsert is a line of input, see ../inserting.py.
type toInsert struct {
	Collection string
	Row        struct {
		ID     int64
		Vector []float32
		Title  *string
	}
}

func (t *toInsert) option() milvusclient.InsertOption {
	row := t.Row
	option := milvusclient.NewColumnBasedInsertOption(t.Collection).
		WithInt64Column("id", []int64{row.ID}).
		WithFloatVectorColumn("vector", len(row.Vector), [][]float32{row.Vector})
	if row.Title != nil {
		option.WithVarcharColumn("title", []string{*row.Title})
	}
	return option
}

func insertAsTold() {
	client := connected()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var told toInsert
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			panic(err)
		}
		result, err := client.Insert(context.Background(), told.option())
		tell("insert", result.InsertCount, err)
	}
}
