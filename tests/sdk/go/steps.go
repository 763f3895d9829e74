// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/milvus-io/milvus/client/v2/column"
	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

const (
	callLimit = 20 * time.Second
	tooShort  = 100 * time.Millisecond
	many      = 4000 // vectors in one search, so that no server is done within tooShort
	times     = 10   // queries that each of two clients has under way at once
	dimension = 4
)

var (
	prefix   = os.Getenv("SDK_PREFIX")
	database = os.Getenv("SDK_DATABASE")
	books    = prefix + "_books"
	quick    = prefix + "_quick"
	twin     = prefix + "_twin"
	alias    = prefix + "_alias"
)

// program holds a client of the default database, and one of the database of this run.
type program struct {
	client *milvusclient.Client
	beside *milvusclient.Client
}

// steps in the order in which they run.
var steps = []step{
	{"connect", (*program).connect},
	{"connect_with_timeout", (*program).connectWithTimeout},
	{"server_version", (*program).serverVersion},
	{"create_database", (*program).createDatabase},
	{"connect_with_database", (*program).connectWithDatabase},
	{"create_with_schema", (*program).createWithSchema},
	{"create_by_dimension", (*program).createByDimension},
	{"insert", (*program).insert},
	{"upsert", (*program).upsert},
	{"search", (*program).search},
	{"query", (*program).query},
	{"get", (*program).get},
	{"delete", (*program).delete},
	{"hybrid_search", (*program).hybridSearch},
	{"describe", (*program).describe},
	{"alias", (*program).alias},
	{"describe_alias", (*program).describeAlias},
	{"drop_alias", (*program).dropAlias},
	{"partition", (*program).partition},
	{"drop_partition", (*program).dropPartition},
	{"two_clients", (*program).twoClients},
	{"switch_database", (*program).switchDatabase},
	{"deadline_kept", (*program).deadlineKept},
	{"deadline_over", (*program).deadlineOver},
	{"missing_collection", (*program).missingCollection},
	{"bad_filter", (*program).badFilter},
	{"drop", (*program).drop},
	{"drop_database", (*program).dropDatabase},
}

// insertOrUpsert is what the SDK takes for both.
type insertOrUpsert interface {
	milvusclient.InsertOption
	milvusclient.UpsertOption
}

func vector(x float32) entity.FloatVector {
	return entity.FloatVector{x, 1, 0, 0}
}

func vectors(keys []int64) [][]float32 {
	found := make([][]float32, len(keys))
	for i, key := range keys {
		found[i] = vector(float32(key))
	}
	return found
}

func titled(keys []int64, title string) []string {
	found := make([]string, len(keys))
	for i, key := range keys {
		found[i] = title
		if title == "" {
			found[i] = fmt.Sprintf("t%d", key)
		}
	}
	return found
}

// rows with titles made from their keys when title is empty.
func rows(name string, keys []int64, title, partition string) insertOrUpsert {
	return milvusclient.NewColumnBasedInsertOption(name).
		WithInt64Column("id", keys).
		WithVarcharColumn("title", titled(keys, title)).
		WithFloatVectorColumn("vector", dimension, vectors(keys)).
		WithPartition(partition)
}

func keys(found milvusclient.ResultSet) ([]int64, error) {
	column := found.GetColumn("id")
	values := make([]int64, 0, found.Len())
	for i := range found.Len() {
		value, err := column.GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	return values, nil
}

// titles are the pairs of key and title, by key.
func titles(found milvusclient.ResultSet) ([][]any, error) {
	ids, names := found.GetColumn("id"), found.GetColumn("title")
	pairs := make([][]any, 0, found.Len())
	for i := range found.Len() {
		id, err := ids.GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		name, err := names.GetAsString(i)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, []any{id, name})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0].(int64) < pairs[j][0].(int64) })
	return pairs, nil
}

// rounded to three decimals, as the other programs do.
func rounded(distance float32) float64 {
	return math.Round(float64(distance)*1000) / 1000
}

// theSame is what all are; repetitions that differ are given one by one.
func theSame(found [][]int64) any {
	for _, ids := range found {
		if !slices.Equal(ids, found[0]) {
			return found
		}
	}
	return found[0]
}

// hits are the pairs of key and distance, the nearest first.
func hits(found milvusclient.ResultSet) ([][]any, error) {
	pairs := make([][]any, 0, found.Len())
	for i := range found.Len() {
		id, err := found.IDs.GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, []any{id, rounded(found.Scores[i])})
	}
	return pairs, nil
}

func queryKeys(ctx context.Context, c *milvusclient.Client, option milvusclient.QueryOption) ([]int64, error) {
	found, err := c.Query(ctx, option)
	if err != nil {
		return nil, err
	}
	return keys(found)
}

func count(ctx context.Context, c *milvusclient.Client) (int64, error) {
	found, err := c.Query(ctx, milvusclient.NewQueryOption(books).WithOutputFields("count(*)"))
	if err != nil {
		return 0, err
	}
	return found.GetColumn("count(*)").GetAsInt64(0)
}

func load(ctx context.Context, c *milvusclient.Client, name string) error {
	task, err := c.LoadCollection(ctx, milvusclient.NewLoadCollectionOption(name))
	if err != nil {
		return err
	}
	return task.Await(ctx)
}

// create makes a collection with a schema and an index in one call, and loads it: the SDK does not.
func create(ctx context.Context, c *milvusclient.Client, name string) error {
	schema := entity.NewSchema().
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("title").WithDataType(entity.FieldTypeVarChar).WithMaxLength(64)).
		WithField(entity.NewField().WithName("vector").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	flat := milvusclient.NewCreateIndexOption(name, "vector", index.NewFlatIndex(entity.L2))
	err := c.CreateCollection(ctx, milvusclient.NewCreateCollectionOption(name, schema).
		WithIndexOptions(flat).WithConsistencyLevel(entity.ClStrong))
	if err != nil {
		return err
	}
	return load(ctx, c, name)
}

func ownCollections(ctx context.Context, c *milvusclient.Client) ([]string, error) {
	names, err := c.ListCollections(ctx, milvusclient.NewListCollectionOption())
	return own(names), err
}

func (p *program) connect(ctx context.Context) (_ any, err error) {
	if p.client, err = milvusclient.New(ctx, config("")); err != nil {
		return nil, err
	}
	return ownCollections(ctx, p.client)
}

func (p *program) connectWithTimeout(ctx context.Context) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	client, err := milvusclient.New(ctx, config(""))
	if err != nil {
		return nil, err
	}
	defer client.Close(ctx)
	return ownCollections(ctx, client)
}

func (p *program) serverVersion(ctx context.Context) (any, error) {
	return p.client.GetServerVersion(ctx, milvusclient.NewGetServerVersionOption())
}

func (p *program) createDatabase(ctx context.Context) (any, error) {
	if err := p.client.CreateDatabase(ctx, milvusclient.NewCreateDatabaseOption(database)); err != nil {
		return nil, err
	}
	names, err := p.client.ListDatabase(ctx, milvusclient.NewListDatabaseOption())
	return own(names), err
}

func (p *program) connectWithDatabase(ctx context.Context) (_ any, err error) {
	if p.beside, err = milvusclient.New(ctx, config(database)); err != nil {
		return nil, err
	}
	return ownCollections(ctx, p.beside)
}

func (p *program) createWithSchema(ctx context.Context) (any, error) {
	if err := create(ctx, p.client, books); err != nil {
		return nil, err
	}
	return p.client.ListIndexes(ctx, milvusclient.NewListIndexOption(books))
}

func (p *program) createByDimension(ctx context.Context) (any, error) {
	option := milvusclient.SimpleCreateCollectionOptions(quick, dimension)
	if err := p.client.CreateCollection(ctx, option); err != nil {
		return nil, err
	}
	return p.client.ListIndexes(ctx, milvusclient.NewListIndexOption(quick))
}

func (p *program) insert(ctx context.Context) (any, error) {
	result, err := p.client.Insert(ctx, rows(books, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, "", ""))
	return result.InsertCount, err
}

func (p *program) upsert(ctx context.Context) (any, error) {
	result, err := p.client.Upsert(ctx, rows(books, []int64{10, 11}, "new", ""))
	return result.UpsertCount, err
}

func (p *program) search(ctx context.Context) (any, error) {
	option := milvusclient.NewSearchOption(books, 3, []entity.Vector{vector(2.2)}).WithOutputFields("title")
	found, err := p.client.Search(ctx, option)
	if err != nil {
		return nil, err
	}
	pairs, err := hits(found[0])
	if err != nil {
		return nil, err
	}
	names := make([]string, found[0].Len())
	for i := range names {
		if names[i], err = found[0].GetColumn("title").GetAsString(i); err != nil {
			return nil, err
		}
	}
	return []any{pairs, names}, nil
}

func (p *program) query(ctx context.Context) (any, error) {
	option := milvusclient.NewQueryOption(books).WithFilter("id >= 9").WithOutputFields("id", "title")
	found, err := p.client.Query(ctx, option)
	if err != nil {
		return nil, err
	}
	pairs, err := titles(found)
	if err != nil {
		return nil, err
	}
	all, err := count(ctx, p.client)
	return []any{pairs, all}, err
}

func (p *program) get(ctx context.Context) (any, error) {
	option := milvusclient.NewQueryOption(books).WithIDs(column.NewColumnInt64("id", []int64{1, 11})).
		WithOutputFields("id", "title")
	found, err := p.client.Get(ctx, option)
	if err != nil {
		return nil, err
	}
	return titles(found)
}

func (p *program) delete(ctx context.Context) (any, error) {
	if _, err := p.client.Delete(ctx, milvusclient.NewDeleteOption(books).WithInt64IDs("id", []int64{1})); err != nil {
		return nil, err
	}
	if _, err := p.client.Delete(ctx, milvusclient.NewDeleteOption(books).WithExpr("id in [2, 3]")); err != nil {
		return nil, err
	}
	return queryKeys(ctx, p.client, milvusclient.NewQueryOption(books).WithFilter("id < 6").WithOutputFields("id"))
}

func (p *program) hybridSearch(ctx context.Context) (any, error) {
	option := milvusclient.NewHybridSearchOption(books, 4,
		milvusclient.NewAnnRequest("vector", 3, vector(5.2)), milvusclient.NewAnnRequest("vector", 3, vector(6.1)),
	).WithReranker(milvusclient.NewRRFReranker())
	found, err := p.client.HybridSearch(ctx, option)
	if err != nil {
		return nil, err
	}
	return hits(found[0])
}

func (p *program) describe(ctx context.Context) (any, error) {
	collection, err := p.client.DescribeCollection(ctx, milvusclient.NewDescribeCollectionOption(books))
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, field := range collection.Schema.Fields {
		names = append(names, field.Name)
	}
	described, err := p.client.DescribeIndex(ctx, milvusclient.NewDescribeIndexOption(books, "vector"))
	if err != nil {
		return nil, err
	}
	return []any{names, described.Params()[index.MetricTypeKey]}, nil
}

func (p *program) alias(ctx context.Context) (any, error) {
	if err := p.client.CreateAlias(ctx, milvusclient.NewCreateAliasOption(books, alias)); err != nil {
		return nil, err
	}
	option := milvusclient.NewQueryOption(alias).WithIDs(column.NewColumnInt64("id", []int64{7})).WithOutputFields("id")
	return queryKeys(ctx, p.client, option)
}

func (p *program) describeAlias(ctx context.Context) (any, error) {
	described, err := p.client.DescribeAlias(ctx, milvusclient.NewDescribeAliasOption(alias))
	if err != nil {
		return nil, err
	}
	return described.CollectionName, nil
}

func (p *program) dropAlias(ctx context.Context) (any, error) {
	if err := p.client.DropAlias(ctx, milvusclient.NewDropAliasOption(alias)); err != nil {
		return nil, err
	}
	return p.client.HasCollection(ctx, milvusclient.NewHasCollectionOption(alias))
}

func (p *program) partition(ctx context.Context) (any, error) {
	if err := p.client.CreatePartition(ctx, milvusclient.NewCreatePartitionOption(books, "p1")); err != nil {
		return nil, err
	}
	if _, err := p.client.Insert(ctx, rows(books, []int64{101, 102}, "", "p1")); err != nil {
		return nil, err
	}
	option := milvusclient.NewQueryOption(books).WithFilter("id > 0").WithOutputFields("id").WithPartitions("p1")
	found, err := queryKeys(ctx, p.client, option)
	if err != nil {
		return nil, err
	}
	names, err := p.client.ListPartitions(ctx, milvusclient.NewListPartitionOption(books))
	sort.Strings(names)
	return []any{names, found}, err
}

// dropPartition releases the collection first: Milvus drops no partition that is loaded.
func (p *program) dropPartition(ctx context.Context) (any, error) {
	if err := p.client.ReleaseCollection(ctx, milvusclient.NewReleaseCollectionOption(books)); err != nil {
		return nil, err
	}
	if err := p.client.DropPartition(ctx, milvusclient.NewDropPartitionOption(books, "p1")); err != nil {
		return nil, err
	}
	if err := load(ctx, p.client, books); err != nil {
		return nil, err
	}
	return p.client.ListPartitions(ctx, milvusclient.NewListPartitionOption(books))
}

func twins(ctx context.Context, c *milvusclient.Client) ([]int64, error) {
	return queryKeys(ctx, c, milvusclient.NewQueryOption(twin).WithFilter("id > 0").WithOutputFields("id"))
}

func makeTwin(ctx context.Context, c *milvusclient.Client, ids []int64) error {
	if err := create(ctx, c, twin); err != nil {
		return err
	}
	_, err := c.Insert(ctx, rows(twin, ids, "", ""))
	return err
}

// twoClients gives what all queries of each client found; when they differ, their answers one by one.
func (p *program) twoClients(ctx context.Context) (any, error) {
	clients := []*milvusclient.Client{p.client, p.beside}
	for i, client := range clients {
		first := int64(1 + 3*i)
		if err := makeTwin(ctx, client, []int64{first, first + 1, first + 2}); err != nil {
			return nil, err
		}
	}
	found := [2][times][]int64{}
	failures := make(chan error, 2*times)
	var group sync.WaitGroup
	for i := range 2 * times {
		group.Add(1)
		go func() {
			defer group.Done()
			ids, err := twins(ctx, clients[i%2])
			found[i%2][i/2] = ids
			failures <- err
		}()
	}
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return []any{theSame(found[0][:]), theSame(found[1][:])}, nil
}

func (p *program) switchDatabase(ctx context.Context) (any, error) {
	client, err := milvusclient.New(ctx, config(""))
	if err != nil {
		return nil, err
	}
	defer client.Close(ctx)
	if err := client.UseDatabase(ctx, milvusclient.NewUseDatabaseOption(database)); err != nil {
		return nil, err
	}
	names, err := ownCollections(ctx, client)
	if err != nil {
		return nil, err
	}
	there, err := twins(ctx, client)
	if err != nil {
		return nil, err
	}
	if err := client.UseDatabase(ctx, milvusclient.NewUseDatabaseOption("default")); err != nil {
		return nil, err
	}
	back, err := twins(ctx, client)
	return []any{names, there, back}, err
}

func (p *program) deadlineKept(ctx context.Context) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return count(ctx, p.client)
}

func (p *program) deadlineOver(ctx context.Context) (any, error) {
	asked := make([]entity.Vector, many)
	for i := range asked {
		asked[i] = vector(5)
	}
	ctx, cancel := context.WithTimeout(ctx, tooShort)
	defer cancel()
	found, err := p.client.Search(ctx, milvusclient.NewSearchOption(books, 10, asked))
	return len(found), err
}

func (p *program) missingCollection(ctx context.Context) (any, error) {
	return queryKeys(ctx, p.client, milvusclient.NewQueryOption(books+"_missing").WithFilter("id > 0"))
}

func (p *program) badFilter(ctx context.Context) (any, error) {
	option := milvusclient.NewQueryOption(books).WithFilter("no_such_field > 0").WithOutputFields("id")
	return queryKeys(ctx, p.client, option)
}

func (p *program) drop(ctx context.Context) (any, error) {
	for _, name := range []string{books, quick, twin} {
		if err := p.client.DropCollection(ctx, milvusclient.NewDropCollectionOption(name)); err != nil {
			return nil, err
		}
	}
	names, err := ownCollections(ctx, p.client)
	if err != nil {
		return nil, err
	}
	has, err := p.client.HasCollection(ctx, milvusclient.NewHasCollectionOption(books))
	return []any{names, has}, err
}

func (p *program) dropDatabase(ctx context.Context) (any, error) {
	if err := p.beside.DropCollection(ctx, milvusclient.NewDropCollectionOption(twin)); err != nil {
		return nil, err
	}
	if err := p.client.DropDatabase(ctx, milvusclient.NewDropDatabaseOption(database)); err != nil {
		return nil, err
	}
	names, err := p.client.ListDatabase(ctx, milvusclient.NewListDatabaseOption())
	return own(names), err
}
