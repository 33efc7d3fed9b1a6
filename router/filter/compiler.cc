#include "router/filter/compiler.h"

#include "router/filter/emitter.h"

namespace tern::filter {

void declare(Function& function, Library& library) {
    if (function.code != nullptr) return;
    FunctionCode& code = library.new_code();
    code.name = function.name;
    code.parameters = static_cast<std::uint16_t>(function.parameters.size());
    code.is_filter = function.is_filter;
    function.code = &code;
}

Result<const FunctionCode*> compile(Function& function, Library& library) {
    declare(function, library);
    Emitter emitter(*function.code, library, function.slots);
    emitter.statement(*function.body);
    if (function.is_filter) {
        emitter.emit(Opcode::no_verdict, function.position);
    } else {
        emitter.emit(Opcode::push_void, function.position);
        emitter.emit(Opcode::return_value, function.position);
    }
    return emitter.finish(function.position);
}

Result<const FunctionCode*> compile(const Expression& expression, Library& library) {
    FunctionCode& code = library.new_code();
    Emitter emitter(code, library, 0);
    emitter.expression(expression);
    emitter.emit(Opcode::return_value, expression.position);
    return emitter.finish(expression.position);
}

}  // namespace tern::filter
