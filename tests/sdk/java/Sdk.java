// SPDX-License-Identifier: Apache-2.0

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.milvus.v2.client.ConnectConfig;
import io.milvus.v2.exception.MilvusClientException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Each feature of Java's MilvusClientV2 once: a line of JSON a step, see ../steps.py. Or what else SDK_MODE says. */
public final class Sdk {
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    interface Step {
        Object run() throws Exception;
    }

    private Sdk() {}

    public static void main(String[] arguments) throws Exception {
        switch (System.getenv().getOrDefault("SDK_MODE", "steps")) {
            case "insert":
                new Insert().asTold();
                break;
            case "load":
                new Load().run();
                break;
            default:
                new Steps().inOrder().forEach(Sdk::run);
        }
        System.exit(0); // whatever threads the SDK has left
    }

    static void run(String name, Step step) {
        try {
            tell(name, step.run(), null);
        } catch (Throwable error) { // whatever the SDK throws is what is compared
            tell(name, null, text(error));
        }
    }

    static String text(Throwable error) {
        if (error instanceof MilvusClientException) {
            MilvusClientException failure = (MilvusClientException) error;
            return failure.getErrorCode() + " " + failure.getServerErrCode() + ": " + failure.getMessage();
        }
        return error.toString();
    }

    private static void tell(String name, Object result, String error) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", name);
        line.put("ok", error == null);
        line.put("result", result);
        line.put("error", error);
        show(line);
    }

    static void show(Map<String, Object> line) {
        System.out.println(GSON.toJson(line));
    }

    static ConnectConfig.ConnectConfigBuilder config() {
        ConnectConfig.ConnectConfigBuilder config = ConnectConfig.builder().uri(System.getenv("SDK_URI"));
        if (System.getenv("SDK_USER") != null) {
            config.username(System.getenv("SDK_USER")).password(System.getenv("SDK_PASSWORD"));
        }
        return config;
    }
}
