// Keeps every VkBuffer (not its memory) until the process ends. Preloaded where tests run llama.cpp on Mesa's software device, lavapipe.
//
// ggml uses one descriptor set layout of 12 storage buffers for all its shaders and writes, for each dispatch, only those that the shader reads. The others
// still name buffers of earlier graphs, some of them destroyed when ggml made larger ones. Vulkan allows that: only descriptors that a shader uses must be
// valid. Lavapipe of Mesa 22.3 binds the whole set all the same and counts references in objects that are freed: heaps get corrupted, processes crash.
//
//     cc -shared -fPIC -o keep_buffers.so keep_buffers.c -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

typedef void (*function)(void);
typedef function (*get_address)(void * owner, const char * name);

static void keep_buffer(void * device, void * buffer, const void * allocator) {
    (void) device;
    (void) buffer;
    (void) allocator;
}

static function find(const char * getter, void * owner, const char * name) {
    void * loader = dlopen("libvulkan.so.1", RTLD_NOW);
    return loader == NULL ? NULL : ((get_address) dlsym(loader, getter))(owner, name);
}

// ggml finds all functions of Vulkan through these two.
function vkGetDeviceProcAddr(void * device, const char * name) {
    return strcmp(name, "vkDestroyBuffer") == 0 ? (function) keep_buffer : find("vkGetDeviceProcAddr", device, name);
}

function vkGetInstanceProcAddr(void * instance, const char * name) {
    if (strcmp(name, "vkGetDeviceProcAddr") == 0) {
        return (function) vkGetDeviceProcAddr;
    }
    return strcmp(name, "vkDestroyBuffer") == 0 ? (function) keep_buffer : find("vkGetInstanceProcAddr", instance, name);
}
