# SPDX-License-Identifier: Apache-2.0
"""A fake that keeps what is inserted and gives it back: for the kinds that no Milvus has that can be installed here."""
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from fake import SUCCESS


class Store:
    """One collection at a time; what is queried is all of it, in the order of the inserts."""

    def __init__(self, fake):
        self.schema, self.inserted = schema_pb2.CollectionSchema(), []
        for method in ("CreateCollection", "DescribeCollection", "Insert", "Upsert", "Query"):
            fake.on(method, getattr(self, method))

    def CreateCollection(self, call, context):
        self.schema.ParseFromString(call.message().schema)
        for number, field in enumerate(self.schema.fields):
            field.fieldID = 100 + number
        return SUCCESS.SerializeToString()

    def DescribeCollection(self, call, context):
        reply = milvus_pb2.DescribeCollectionResponse(
            status=SUCCESS, schema=self.schema, collection_name=call.message().collection_name, collectionID=1
        )
        return reply.SerializeToString()

    def keep(self, request, **counted):
        keys = next(field for field in request.fields_data if field.field_name == self.schema.fields[0].name)
        self.inserted.append(request)
        reply = milvus_pb2.MutationResult(status=SUCCESS, **counted)
        reply.IDs.int_id.data.extend(keys.scalars.long_data.data)
        return reply.SerializeToString()

    def Insert(self, call, context):
        request = call.message()
        return self.keep(request, insert_cnt=request.num_rows)

    def Upsert(self, call, context):
        request = call.message()
        return self.keep(request, upsert_cnt=request.num_rows)

    def Query(self, call, context):
        """Of the last insert."""
        if not self.inserted:
            return milvus_pb2.QueryResults(status=SUCCESS).SerializeToString()
        request = self.inserted[-1]
        fields = [field.field_name for field in request.fields_data]
        reply = milvus_pb2.QueryResults(
            status=SUCCESS, fields_data=request.fields_data, output_fields=fields, primary_field_name=fields[0]
        )
        return reply.SerializeToString()
