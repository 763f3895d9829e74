// SPDX-License-Identifier: Apache-2.0

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.milvus.v2.client.MilvusClientV2;
import io.milvus.v2.service.vector.request.InsertReq;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Inserts as it is told, see ../inserting.py. */
final class Insert {
    private final MilvusClientV2 client = new MilvusClientV2(Sdk.config().build());

    void asTold() throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject told = JsonParser.parseString(line).getAsJsonObject();
            Sdk.run("insert", () -> insert(told.get("collection").getAsString(), told.getAsJsonObject("row")));
        }
    }

    private long insert(String collection, JsonObject row) {
        return client.insert(InsertReq.builder().collectionName(collection).data(List.of(row)).build())
            .getInsertCnt();
    }
}
