#include "internal.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

using namespace tamx;

struct tamx_context {
    const tamx_model *  model;
    llama_context *     context = nullptr;
    llama_sampler *     sampler = nullptr;
    int32_t             batch_size;
    bool                capture = true;
    llama_pos           next_position = 0;
    llama_pos           block_start   = 0; // position of the first cell of the vision block in progress
    bool                has_logits    = false;
    std::atomic<bool>   cancelled { false };
    std::vector<llama_token_data> vocabulary; // reused between steps

    // Capture of the decode in progress.
    float *     rows      = nullptr;
    int32_t     expected  = 0;
    int32_t     captured  = 0;
    bool        stop_here = false;
    std::string capture_fault;

    ~tamx_context() {
        llama_sampler_free(sampler);
        llama_free(context);
    }
};

namespace {

// The hidden states after the final norm. With the embeddings output on, llama.cpp gives the tensor the second name.
bool is_hidden_state(const ggml_tensor * tensor) {
    return std::strcmp(tensor->name, "result_norm") == 0 || std::strcmp(tensor->name, "result_embd_pooled") == 0;
}

// ask: whether the tensor's value is wanted. Otherwise its value is there; returning false ends the graph.
bool on_node(ggml_tensor * tensor, bool ask, void * data) {
    auto * c = static_cast<tamx_context *>(data);
    const bool wanted = c->rows != nullptr && c->captured == 0 && is_hidden_state(tensor);
    if (ask || !wanted) {
        return ask ? wanted : true;
    }
    if (tensor->type != GGML_TYPE_F32 || tensor->ne[0] != c->model->hidden_size || tensor->ne[1] != c->expected ||
        tensor->ne[2] != 1 || tensor->ne[3] != 1 || !ggml_is_contiguous(tensor)) {
        c->capture_fault = std::string("hidden states have an unexpected form: ") + ggml_type_name(tensor->type) + " [" +
                           std::to_string(tensor->ne[1]) + ", " + std::to_string(tensor->ne[0]) + "], expected [" +
                           std::to_string(c->expected) + ", " + std::to_string(c->model->hidden_size) + "]";
        return false;
    }
    ggml_backend_tensor_get(tensor, c->rows, 0, ggml_nbytes(tensor));
    c->captured = c->expected;
    return !c->stop_here;
}

bool is_cancelled(void * data) {
    return static_cast<tamx_context *>(data)->cancelled.load();
}

int32_t decode(tamx_context * c, const llama_batch & batch, bool want_logits, float * rows) {
    if (c->cancelled) {
        return fail(TAMX_CANCELLED, "cancelled");
    }
    take_logged_error();
    c->rows      = rows;
    c->expected  = batch.n_tokens;
    c->captured  = 0;
    c->stop_here = !want_logits;
    c->has_logits = false;
    c->capture_fault.clear();
    const int32_t code = llama_decode(c->context, batch);
    c->rows = nullptr;

    if (c->cancelled) {
        return fail(TAMX_CANCELLED, "cancelled");
    }
    if (code == 1) {
        return fail(TAMX_CONTEXT_FULL, "the context of " + std::to_string(llama_n_ctx(c->context)) + " tokens is full");
    }
    if (code != 0) {
        return fail(TAMX_DECODE_FAILED, "llama_decode gave " + std::to_string(code) + ": " + take_logged_error());
    }
    if (c->capture && (!c->capture_fault.empty() || c->captured != c->expected)) {
        return fail(TAMX_INTERNAL, c->capture_fault.empty() ? "llama.cpp's graph has no tensor of hidden states" : c->capture_fault);
    }
    c->has_logits = want_logits;
    return TAMX_OK;
}

// Which tokens of a batch give an output: with capture all. Without, all or the last one if logits are wanted, else none.
std::vector<int8_t> outputs_of(const tamx_context * c, int32_t count, bool want_logits, bool of_all) {
    std::vector<int8_t> outputs((size_t) count, (int8_t) (c->capture || (want_logits && of_all)));
    outputs.back() = (int8_t) (c->capture || want_logits);
    return outputs;
}

int32_t decode_text(tamx_context * c, const llama_token * tokens, int32_t count, bool want_logits, bool of_all, float * rows) {
    std::vector<llama_token>    ids(tokens, tokens + count);
    std::vector<llama_pos>      positions((size_t) count);
    std::vector<int32_t>        sequence_counts((size_t) count, 1);
    llama_seq_id                sequence = 0;
    std::vector<llama_seq_id *> sequences((size_t) count, &sequence);
    std::vector<int8_t>         outputs = outputs_of(c, count, want_logits, of_all);
    std::iota(positions.begin(), positions.end(), c->next_position);

    llama_batch batch {};
    batch.n_tokens = count;
    batch.token    = ids.data();
    batch.pos      = positions.data();
    batch.n_seq_id = sequence_counts.data();
    batch.seq_id   = sequences.data();
    batch.logits   = outputs.data();
    const int32_t status = decode(c, batch, want_logits, rows);
    if (status == TAMX_OK) {
        c->next_position += count;
    }
    return status;
}

int32_t decode_patch(tamx_context * c, tamx_chunk & chunk, int32_t first, int32_t count, bool want_logits, float * rows) {
    const int32_t total = chunk.count();
    if (chunk.embeddings.empty()) {
        return fail(TAMX_INVALID_ARGUMENT, "the picture was not encoded");
    }
    if (first == 0 && chunk.time == 0) {
        c->block_start = c->next_position;
    }
    // M-RoPE takes four positions per cell, laid out axis by axis: time, row, column, unused.
    const size_t           n = (size_t) count;
    std::vector<llama_pos> positions(4 * n, 0);
    for (size_t i = 0; i < n; i++) {
        positions[i]         = c->block_start + chunk.time;
        positions[i + n]     = c->block_start + (first + (llama_pos) i) / chunk.columns;
        positions[i + 2 * n] = c->block_start + (first + (llama_pos) i) % chunk.columns;
    }
    std::vector<int32_t>        sequence_counts(n, 1);
    llama_seq_id                sequence = 0;
    std::vector<llama_seq_id *> sequences(n, &sequence);
    std::vector<int8_t>         outputs = outputs_of(c, count, want_logits, false);

    const size_t width = chunk.embeddings.size() / (size_t) total;
    llama_batch  batch {};
    batch.n_tokens = count;
    batch.embd     = chunk.embeddings.data() + (size_t) first * width;
    batch.pos      = positions.data();
    batch.n_seq_id = sequence_counts.data();
    batch.seq_id   = sequences.data();
    batch.logits   = outputs.data();
    const int32_t status = decode(c, batch, want_logits, rows);
    if (status == TAMX_OK && first + count == total) {
        if (chunk.ends_block) {
            c->next_position = c->block_start + std::max({ chunk.columns, chunk.rows, chunk.time + 1 });
        }
        chunk.embeddings = {};
    }
    return status;
}

} // namespace

int32_t tamx_context_create(tamx_model * model, int32_t context_size, int32_t batch_size, int32_t threads, int32_t precise_cache,
                            int32_t capture, tamx_context ** context) {
    return guarded([&] {
        *context = nullptr;
        if (context_size <= 0 || batch_size <= 0 || threads <= 0) {
            return fail(TAMX_INVALID_ARGUMENT, "context size, batch size and threads must be positive");
        }
        take_logged_error();
        auto result        = std::make_unique<tamx_context>();
        result->model      = model;
        result->batch_size = std::min(batch_size, context_size);
        result->capture    = capture != 0;

        llama_context_params params = llama_context_default_params();
        params.n_ctx             = (uint32_t) context_size;
        params.n_batch           = (uint32_t) result->batch_size;
        params.n_ubatch          = (uint32_t) result->batch_size; // one graph per decode, so one capture
        params.n_seq_max         = 1;
        params.n_threads         = threads;
        params.n_threads_batch   = threads;
        params.pooling_type      = LLAMA_POOLING_TYPE_NONE;
        params.embeddings        = capture != 0; // makes every token an output, so that its hidden state is computed
        params.no_perf           = true;
        if (capture) {
            params.cb_eval           = on_node;
            params.cb_eval_user_data = result.get();
        }
        params.abort_callback      = is_cancelled;
        params.abort_callback_data = result.get();
        if (precise_cache) {
            params.type_k          = GGML_TYPE_F32;
            params.type_v          = GGML_TYPE_F32;
            params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
        }
        result->context = llama_init_from_model(model->model, params);
        if (result->context == nullptr) {
            return fail(TAMX_OUT_OF_MEMORY, "no context of " + std::to_string(context_size) + " tokens could be made: " + take_logged_error());
        }
        *context = result.release();
        return (int32_t) TAMX_OK;
    });
}

void tamx_context_free(tamx_context * context) {
    delete context;
}

void tamx_context_cancel(tamx_context * context) {
    context->cancelled = true;
}

int32_t tamx_context_encode(tamx_context * context, tamx_prompt * prompt, int32_t index, const uint8_t * rgb, const uint8_t * second_rgb) {
    return guarded([&] {
        if (index < 0 || (size_t) index >= prompt->chunks.size() || !prompt->chunks[(size_t) index].is_vision() || rgb == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "no such picture");
        }
        tamx_chunk &  chunk  = prompt->chunks[(size_t) index];
        tamx_vision * vision = prompt->vision;
        patch_chunks  patch;
        int32_t       status = make_patch(vision, chunk.width, chunk.height, rgb, second_rgb, patch);
        if (status != TAMX_OK) {
            return status;
        }
        if ((int32_t) mtmd_input_chunk_get_n_tokens(patch.cells) != chunk.count()) {
            return fail(TAMX_IMAGE_FAILED, "the picture has another number of cells than was counted before");
        }
        std::lock_guard<std::mutex> lock(vision->encoding);
        if (context->cancelled) {
            return fail(TAMX_CANCELLED, "cancelled");
        }
        take_logged_error();
        vision->cancelled  = &context->cancelled;
        const int32_t code = mtmd_encode_chunk(vision->context, patch.cells);
        vision->cancelled  = nullptr;
        if (context->cancelled) {
            return fail(TAMX_CANCELLED, "cancelled");
        }
        if (code != 0) {
            return fail(TAMX_IMAGE_FAILED, "the picture could not be encoded: " + take_logged_error());
        }
        const float * output = mtmd_get_output_embd(vision->context);
        const size_t  width  = (size_t) llama_model_n_embd_inp(context->model->model);
        chunk.embeddings.assign(output, output + width * (size_t) chunk.count());
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_context_decode_chunk(tamx_context * context, tamx_prompt * prompt, int32_t index, int32_t first, int32_t count,
                                  int32_t want_logits, float * rows) {
    return guarded([&] {
        if (index < 0 || (size_t) index >= prompt->chunks.size()) {
            return fail(TAMX_INVALID_ARGUMENT, "no such chunk");
        }
        tamx_chunk & chunk = prompt->chunks[(size_t) index];
        if (first < 0 || count <= 0 || first > chunk.count() - count || count > context->batch_size || (rows == nullptr) == context->capture) {
            return fail(TAMX_INVALID_ARGUMENT, "tokens outside the chunk, or more than a batch");
        }
        return chunk.is_vision() ? decode_patch(context, chunk, first, count, want_logits != 0, rows)
                                 : decode_text(context, chunk.tokens.data() + first, count, want_logits != 0, false, rows);
    });
}

int32_t tamx_context_decode_tokens(tamx_context * context, const int32_t * tokens, int32_t count, int32_t want_logits, float * rows) {
    return guarded([&] {
        if (count <= 0 || count > context->batch_size || (rows == nullptr) == context->capture) {
            return fail(TAMX_INVALID_ARGUMENT, "no tokens, or more than a batch");
        }
        for (int32_t i = 0; i < count; i++) {
            if (tokens[i] < 0 || tokens[i] >= context->model->vocabulary_size) {
                return fail(TAMX_INVALID_ARGUMENT, "token " + std::to_string(tokens[i]) + " is not in the vocabulary");
            }
        }
        return decode_text(context, tokens, count, want_logits != 0, true, rows);
    });
}

int32_t tamx_context_embedding(tamx_context * context, int32_t index, float * row) {
    return guarded([&] {
        const float * source = llama_get_embeddings_ith(context->context, index);
        if (source == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "no such row");
        }
        std::copy(source, source + context->model->hidden_size, row);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_context_next_position(const tamx_context * context, int32_t * position) {
    return guarded([&] {
        *position = context->next_position;
        return (int32_t) TAMX_OK;
    });
}

static const float * logits_of(tamx_context * context, int32_t index) {
    return context->has_logits && index >= -1 && index < context->expected ? llama_get_logits_ith(context->context, index) : nullptr;
}

int32_t tamx_context_logits(tamx_context * context, float * logits) {
    return guarded([&] {
        const float * source = logits_of(context, -1);
        if (source == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "the last decode made no logits");
        }
        std::copy(source, source + context->model->vocabulary_size, logits);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_context_set_sampling(tamx_context * context, float temperature, int32_t top_k, float top_p, uint32_t seed) {
    return guarded([&] {
        llama_sampler * chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
        if (temperature <= 0.0f) {
            llama_sampler_chain_add(chain, llama_sampler_init_greedy());
        } else {
            // The order llama.cpp's own tools use.
            if (top_k > 0) {
                llama_sampler_chain_add(chain, llama_sampler_init_top_k(top_k));
            }
            if (top_p < 1.0f) {
                llama_sampler_chain_add(chain, llama_sampler_init_top_p(top_p, 1));
            }
            llama_sampler_chain_add(chain, llama_sampler_init_temp(temperature));
            llama_sampler_chain_add(chain, llama_sampler_init_dist(seed));
        }
        llama_sampler_free(context->sampler);
        context->sampler = chain;
        return (int32_t) TAMX_OK;
    });
}

// The vocabulary with its logits, in the order of the ids.
static std::vector<llama_token_data> & vocabulary_of(tamx_context * context, const float * logits) {
    auto & data = context->vocabulary;
    data.resize((size_t) context->model->vocabulary_size);
    for (size_t i = 0; i < data.size(); i++) {
        data[i] = { (llama_token) i, logits[i], 0.0f };
    }
    return data;
}

int32_t tamx_context_sample(tamx_context * context, int32_t * token) {
    return guarded([&] {
        const float * logits = logits_of(context, -1);
        if (logits == nullptr || context->sampler == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "no logits to sample from");
        }
        auto & data = vocabulary_of(context, logits);
        llama_token_data_array choice { data.data(), data.size(), -1, false };
        llama_sampler_apply(context->sampler, &choice);
        if (choice.selected < 0 || (size_t) choice.selected >= choice.size) {
            return fail(TAMX_INTERNAL, "the sampler chose nothing");
        }
        *token = choice.data[choice.selected].id;
        llama_sampler_accept(context->sampler, *token);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_context_rank(tamx_context * context, int32_t index, int32_t token, int32_t k, float * logit, double * log_sum,
                          int32_t * candidates, float * candidate_logits) {
    return guarded([&] {
        const float * logits = logits_of(context, index);
        const int32_t n      = context->model->vocabulary_size;
        if (logits == nullptr || token < 0 || token >= n || k < 0 || k > n) {
            return fail(TAMX_INVALID_ARGUMENT, "no logits there, no such token, or more candidates than tokens");
        }
        const float best = *std::max_element(logits, logits + n);
        if (!std::isfinite(best)) {
            return fail(TAMX_DECODE_FAILED, "the model's logits are not finite");
        }
        double sum = 0;
        for (int32_t i = 0; i < n; i++) {
            sum += std::exp((double) logits[i] - best);
        }
        *logit   = logits[token];
        *log_sum = best + std::log(sum);
        // A heap of the k best so far, the worst of them on top. Ids ascend, so where logits are equal the lower id got in first.
        const auto better = [logits](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
        std::iota(candidates, candidates + k, 0);
        std::make_heap(candidates, candidates + k, better);
        for (int32_t i = k; i < n && k > 0; i++) {
            if (logits[i] > logits[candidates[0]]) {
                std::pop_heap(candidates, candidates + k, better);
                candidates[k - 1] = i;
                std::push_heap(candidates, candidates + k, better);
            }
        }
        std::sort_heap(candidates, candidates + k, better);
        for (int32_t i = 0; i < k; i++) {
            candidate_logits[i] = logits[candidates[i]];
        }
        return (int32_t) TAMX_OK;
    });
}
