#include "internal.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

thread_local std::string last_error;

std::mutex                     log_mutex;
std::atomic<tamx_log_callback> log_callback { nullptr };
std::string                    logged_error;
std::string                    failed_allocation; // the line before the last ones that tells how much was asked for
bool                           error_line_open = false;

void on_log(ggml_log_level level, const char * text, void * /*user_data*/) {
    {
        std::lock_guard<std::mutex> lock(log_mutex);
        if (level == GGML_LOG_LEVEL_ERROR) {
            logged_error    = text;
            error_line_open = true;
            if (logged_error.find("failed to allocate") != std::string::npos && logged_error.find("of size") != std::string::npos) {
                failed_allocation = text;
            }
        } else if (level == GGML_LOG_LEVEL_CONT) {
            if (error_line_open) {
                logged_error += text;
            }
        } else {
            error_line_open = false;
        }
    }
    if (auto callback = log_callback.load()) {
        callback((int32_t) level, text, (int32_t) std::strlen(text));
    }
}

} // namespace

namespace tamx {

int32_t fail(int32_t status, std::string message) {
    last_error = std::move(message);
    return status;
}

std::string take_logged_error() {
    std::lock_guard<std::mutex> lock(log_mutex);
    std::string                 text = std::move(logged_error);
    if (!failed_allocation.empty() && text != failed_allocation) {
        text = failed_allocation + "; " + text;
    }
    logged_error.clear();
    failed_allocation.clear();
    error_line_open = false;
    std::replace(text.begin(), text.end(), '\n', ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

int32_t copy_text(const std::string & text, char * destination, int32_t capacity) {
    if (destination != nullptr && capacity > 0) {
        const size_t n = std::min(text.size(), (size_t) capacity - 1);
        std::memcpy(destination, text.data(), n);
        destination[n] = 0;
    }
    return (int32_t) text.size();
}

} // namespace tamx

using namespace tamx;

int32_t tamx_abi_version(void) {
    return TAMX_ABI_VERSION;
}

int32_t tamx_last_error(char * text, int32_t capacity) {
    return copy_text(last_error, text, capacity);
}

int32_t tamx_llama_version(char * text, int32_t capacity) {
    return copy_text(llama_version(), text, capacity);
}

int32_t tamx_initialize(const char * library_dir, tamx_log_callback log) {
    return guarded([&] {
        log_callback = log;
        static std::once_flag once;
        std::call_once(once, [&] {
            // Without this ggml starts a debugger on the process when it aborts.
#if defined(_WIN32)
            if (std::getenv("GGML_NO_BACKTRACE") == nullptr) {
                _putenv_s("GGML_NO_BACKTRACE", "1");
            }
#else
            setenv("GGML_NO_BACKTRACE", "1", 0);
#endif
            llama_log_set(on_log, nullptr);
            mtmd_log_set(on_log, nullptr);
            const std::string built_for = TAMX_BACKEND_DIR;
            ggml_backend_load_all_from_path(built_for.empty() ? library_dir : built_for.c_str());
            if (!built_for.empty() && ggml_backend_dev_count() == 0) {
                // Installed llama.cpp packages keep their backends in a folder that only they know.
                ggml_backend_load_all();
            }
            llama_backend_init();
        });
        if (ggml_backend_dev_count() == 0) {
            return fail(TAMX_LOAD_FAILED, std::string("no compute backend (libggml-cpu-*) found in ") + library_dir);
        }
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_device_count(int32_t * count) {
    return guarded([&] {
        *count = (int32_t) ggml_backend_dev_count();
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_device(int32_t index, char * name, int32_t name_capacity, char * description, int32_t description_capacity,
                    int32_t * kind, uint64_t * free_memory, uint64_t * total_memory) {
    return guarded([&] {
        if (index < 0 || (size_t) index >= ggml_backend_dev_count()) {
            return fail(TAMX_INVALID_ARGUMENT, "no such device");
        }
        ggml_backend_dev_t device = ggml_backend_dev_get((size_t) index);
        copy_text(ggml_backend_dev_name(device), name, name_capacity);
        copy_text(ggml_backend_dev_description(device), description, description_capacity);
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(device, &free, &total);
        *free_memory  = free;
        *total_memory = total;
        switch (ggml_backend_dev_type(device)) {
            case GGML_BACKEND_DEVICE_TYPE_CPU:   *kind = 0; break;
            case GGML_BACKEND_DEVICE_TYPE_GPU:   *kind = 1; break;
            case GGML_BACKEND_DEVICE_TYPE_IGPU:  *kind = 2; break;
            case GGML_BACKEND_DEVICE_TYPE_ACCEL: *kind = 3; break;
            default:                             *kind = 4; break;
        }
        return (int32_t) TAMX_OK;
    });
}

static int32_t check_type(int32_t type, int64_t n) {
    if (type < 0 || type >= GGML_TYPE_COUNT || ggml_blck_size((ggml_type) type) <= 0) {
        return fail(TAMX_INVALID_ARGUMENT, "unknown ggml type " + std::to_string(type));
    }
    if (n <= 0 || n % ggml_blck_size((ggml_type) type) != 0) {
        return fail(TAMX_INVALID_ARGUMENT, "a row of " + std::to_string(n) + " values does not fill whole blocks of " +
                                               ggml_type_name((ggml_type) type));
    }
    return TAMX_OK;
}

int32_t tamx_row_bytes(int32_t type, int64_t n, int64_t * bytes) {
    return guarded([&] {
        const int32_t status = check_type(type, n);
        if (status == TAMX_OK) {
            *bytes = (int64_t) ggml_row_size((ggml_type) type, n);
        }
        return status;
    });
}

int32_t tamx_dequantize_row(int32_t type, const void * source, int64_t source_bytes, int64_t n, float * destination) {
    return guarded([&] {
        const int32_t status = check_type(type, n);
        if (status != TAMX_OK) {
            return status;
        }
        if (source_bytes != (int64_t) ggml_row_size((ggml_type) type, n)) {
            return fail(TAMX_INVALID_ARGUMENT, "row size does not match its type");
        }
        if (type == GGML_TYPE_F32) {
            std::memcpy(destination, source, (size_t) source_bytes);
            return (int32_t) TAMX_OK;
        }
        const ggml_type_traits * traits = ggml_get_type_traits((ggml_type) type);
        if (traits == nullptr || traits->to_float == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, std::string("ggml cannot dequantize ") + ggml_type_name((ggml_type) type));
        }
        traits->to_float(source, destination, n);
        return (int32_t) TAMX_OK;
    });
}
