#include "internal.h"

#include <cstring>
#include <memory>

using namespace tamx;

namespace {

struct progress_state {
    tamx_progress_callback callback;
    void *                 user_data;
    bool                   cancelled = false;
};

// true: go on
bool on_progress(float share, void * data) {
    auto * state = static_cast<progress_state *>(data);
    if (state->callback != nullptr && state->callback(share, state->user_data) == 0) {
        state->cancelled = true;
    }
    return !state->cancelled;
}

// Between groups of nodes of the vision graph: go on unless the caller has cancelled.
bool on_vision_node(ggml_tensor * /*tensor*/, bool ask, void * data) {
    auto * vision = static_cast<tamx_vision *>(data);
    if (ask) {
        return ++vision->node % 64 == 0;
    }
    return vision->cancelled == nullptr || !vision->cancelled->load();
}

// The devices to use, ended by null, as llama.cpp wants them; none at all is its sign for all there are.
int32_t find_device(const char * name, std::vector<ggml_backend_dev_t> & devices) {
    if (name == nullptr || *name == 0) {
        return TAMX_OK;
    }
    if (std::strcmp(name, "none") != 0) {
        ggml_backend_dev_t device = ggml_backend_dev_by_name(name);
        if (device == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, std::string("no device ") + name);
        }
        devices.push_back(device);
    }
    devices.push_back(nullptr);
    return TAMX_OK;
}

int32_t fail_to_load() {
    const std::string logged = take_logged_error();
    return fail(logged.find("failed to allocate") == std::string::npos ? TAMX_LOAD_FAILED : TAMX_OUT_OF_MEMORY,
                "llama.cpp cannot load it" + (logged.empty() ? std::string() : ": " + logged));
}

} // namespace

int32_t tamx_model_load(const char * path, int32_t gpu_layers, const char * device, int32_t use_mmap, tamx_progress_callback progress,
                        void * user_data, tamx_model ** model) {
    return guarded([&] {
        *model = nullptr;
        take_logged_error();
        std::vector<ggml_backend_dev_t> devices;
        const int32_t                   found = find_device(device, devices);
        if (found != TAMX_OK) {
            return found;
        }
        progress_state     state { progress, user_data };
        llama_model_params params         = llama_model_default_params();
        params.n_gpu_layers               = gpu_layers;
        params.devices                    = devices.empty() ? nullptr : devices.data();
        params.load_mode                  = use_mmap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
        params.progress_callback          = on_progress;
        params.progress_callback_user_data = &state;

        std::unique_ptr<llama_model, decltype(&llama_model_free)> loaded(llama_model_load_from_file(path, params), llama_model_free);
        if (!loaded) {
            return state.cancelled ? fail(TAMX_CANCELLED, "loading was cancelled") : fail_to_load();
        }
        const llama_vocab * vocab = llama_model_get_vocab(loaded.get());
        auto result = std::make_unique<tamx_model>();
        result->vocab           = vocab;
        result->hidden_size     = llama_model_n_embd(loaded.get());
        result->vocabulary_size = llama_vocab_n_tokens(vocab);
        result->model           = loaded.release();
        *model = result.release();
        return (int32_t) TAMX_OK;
    });
}

void tamx_model_free(tamx_model * model) {
    if (model != nullptr) {
        llama_model_free(model->model);
        delete model;
    }
}

int32_t tamx_model_sizes(const tamx_model * model, int32_t * hidden_size, int32_t * vocabulary_size, int32_t * training_context,
                         int32_t * layers) {
    return guarded([&] {
        *hidden_size      = model->hidden_size;
        *vocabulary_size  = model->vocabulary_size;
        *training_context = llama_model_n_ctx_train(model->model);
        *layers           = llama_model_n_layer(model->model);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_token_bytes(const tamx_model * model, int32_t token, char * bytes, int32_t capacity, int32_t * length) {
    return guarded([&] {
        if (token < 0 || token >= model->vocabulary_size) {
            return fail(TAMX_INVALID_ARGUMENT, "token " + std::to_string(token) + " is not in the vocabulary");
        }
        const int32_t n = llama_token_to_piece(model->vocab, token, bytes, capacity, 0, true);
        *length         = n < 0 ? -n : n;
        return n < 0 ? fail(TAMX_BUFFER_TOO_SMALL, "token text is longer than the buffer") : (int32_t) TAMX_OK;
    });
}

int32_t tamx_token_ends_generation(const tamx_model * model, int32_t token, int32_t * ends) {
    return guarded([&] {
        *ends = llama_vocab_is_eog(model->vocab, token) ? 1 : 0;
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_tokenize(const tamx_model * model, const char * text, int32_t length, int32_t parse_special, int32_t * tokens,
                      int32_t capacity, int32_t * count) {
    return guarded([&] {
        const int32_t n = llama_tokenize(model->vocab, text, length, tokens, capacity, false, parse_special != 0);
        *count          = n < 0 ? -n : n;
        return n < 0 ? fail(TAMX_BUFFER_TOO_SMALL, "more tokens than the buffer holds") : (int32_t) TAMX_OK;
    });
}

int32_t tamx_model_quantize(const char * source, const char * destination, int32_t file_type, int32_t threads) {
    return guarded([&] {
        take_logged_error();
        llama_model_quantize_params params = llama_model_quantize_default_params();
        params.ftype                       = (llama_ftype) file_type;
        params.nthread                     = threads;
        if (llama_model_quantize(source, destination, &params) != 0) {
            return fail_to_load();
        }
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_vision_load(const tamx_model * model, const char * path, int32_t use_gpu, const char * device, int32_t threads,
                         int32_t min_tokens, int32_t max_tokens, tamx_progress_callback progress, void * user_data, tamx_vision ** vision) {
    return guarded([&] {
        *vision = nullptr;
        take_logged_error();
        std::vector<ggml_backend_dev_t> devices;
        const int32_t                   found = find_device(device, devices);
        if (found != TAMX_OK) {
            return found;
        }
        progress_state      state { progress, user_data };
        auto                result = std::make_unique<tamx_vision>();
        mtmd_context_params params = mtmd_context_params_default();
        params.device              = devices.empty() ? nullptr : devices[0];
        params.use_gpu             = use_gpu != 0 && (devices.empty() || params.device != nullptr);
        params.n_threads           = threads;
        params.print_timings       = false;
        params.warmup              = false;
        params.cb_eval             = on_vision_node;
        params.cb_eval_user_data   = result.get();
        params.progress_callback   = on_progress;
        params.progress_callback_user_data = &state;
        if (min_tokens > 0) {
            params.image_min_tokens = min_tokens;
        }
        if (max_tokens > 0) {
            params.image_max_tokens = max_tokens;
        }
        std::unique_ptr<mtmd_context, decltype(&mtmd_free)> loaded(mtmd_init_from_file(path, model->model, params), mtmd_free);
        if (!loaded) {
            return state.cancelled ? fail(TAMX_CANCELLED, "loading was cancelled") : fail_to_load();
        }
        if (!mtmd_support_vision(loaded.get()) || !mtmd_decode_use_mrope(loaded.get())) {
            return fail(TAMX_LOAD_FAILED, "llama.cpp does not take it for a projector of the Qwen-VL family");
        }
        result->context = loaded.release();
        *vision         = result.release();
        return (int32_t) TAMX_OK;
    });
}

void tamx_vision_free(tamx_vision * vision) {
    if (vision != nullptr) {
        mtmd_free(vision->context);
        delete vision;
    }
}
